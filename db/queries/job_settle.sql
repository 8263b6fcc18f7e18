-- A job is done and changed nothing else.  No row: the claim is stale.
-- unit: job_settle   lane: job   rank: 20
-- keys: id(job_id)
-- locks: jobs
-- head: job_id uuid, epoch int8
-- answer: ordinal int8, kind text
WITH h AS MATERIALIZED (SELECT * FROM @head),
mine AS (
	UPDATE job j SET state = 'done', lease_until = NULL, done_at = now()
	FROM h WHERE j.id = h.job_id AND j.epoch = h.epoch AND j.lease_until IS NOT NULL
	RETURNING h.n, j.kind
)
SELECT n, kind FROM mine ORDER BY n
