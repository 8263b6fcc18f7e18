-- A job is leased while it runs and dated when it is done.
SELECT id, kind, state, lease_until, done_at, epoch, attempts
  FROM job
 WHERE (state = 'running') <> (lease_until IS NOT NULL)
    OR (state = 'done') <> (done_at IS NOT NULL)
    OR (state IN ('running', 'done') AND epoch = 0)
