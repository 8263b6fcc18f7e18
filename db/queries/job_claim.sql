-- A worker takes a job it heard of: due, or left behind by a claim whose lease ran out.  The epoch
-- it is answered is its proof; a later claim makes it worthless.  No row: somebody else has it, or its queue is paused.
-- unit: job_claim   lane: job   rank: 10
-- keys: id(job_id)
-- locks: jobs
-- head: job_id uuid, worker uuid, lease_s int4
-- answer: ordinal int8, tenant int4, order_id uuid, group_no int2, kind text, epoch int8
-- answer: attempts int4, deaths int4, groups int2, order_state text, last_error text?, trace bytea?, waited_ms int8
WITH h AS MATERIALIZED (SELECT * FROM @head),
mine AS (
	UPDATE job j SET state = 'running', epoch = j.epoch + 1, attempts = j.attempts + 1,
	                 deaths = j.deaths + (j.state = 'running')::int, worker = h.worker,
	                 lease_until = clock_timestamp() + h.lease_s * interval '1 s'
	FROM h
	WHERE j.id = h.job_id
	  AND (j.state = 'ready' AND j.run_at <= clock_timestamp()
	       OR j.state = 'running' AND j.lease_until < clock_timestamp())
	  AND (split_part(j.kind, '.', 1) IN (SELECT role FROM queue WHERE paused)) IS NOT TRUE
	RETURNING h.n, j.tenant, j.order_id, j.group_no, j.kind, j.epoch, j.attempts, j.deaths, j.last_error, j.trace, j.run_at
)
SELECT m.n, m.tenant, m.order_id, m.group_no, m.kind, m.epoch, m.attempts, m.deaths, x.groups, x.state, m.last_error,
       coalesce(m.trace, x.trace),
       (extract(epoch FROM clock_timestamp() - m.run_at) * 1000)::int8
FROM mine m JOIN orders x ON (x.tenant, x.id) = (m.tenant, m.order_id)
ORDER BY m.n
