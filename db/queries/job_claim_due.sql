-- A worker takes due jobs of its role straight from the table: how work goes on while Redis is away.
-- What others are taking at this moment is skipped, and a queue that is paused.  A row per job; asked again, it takes others.
-- unit: job_claim_due   lane: job   rank: 11
-- head: role text, worker uuid, lease_s int4, most int4
-- answer: ordinal int8, job_id uuid, tenant int4, order_id uuid, group_no int2, kind text, epoch int8
-- answer: attempts int4, deaths int4, groups int2, order_state text, last_error text?, priority int2, trace bytea?, waited_ms int8
WITH h AS MATERIALIZED (SELECT * FROM @head WHERE (role IN (SELECT role FROM queue WHERE paused)) IS NOT TRUE),
due AS MATERIALIZED (
	SELECT h.n, h.worker, h.lease_s, h.most, d.id, d.run_at FROM h CROSS JOIN LATERAL (
		SELECT j.id, j.run_at FROM job j
		WHERE j.state = 'ready' AND j.run_at <= now() AND split_part(j.kind, '.', 1) = h.role
		ORDER BY j.run_at LIMIT h.most FOR UPDATE SKIP LOCKED) d
),
left_behind AS MATERIALIZED (
	SELECT h.n, h.worker, h.lease_s, h.most, d.id, d.run_at FROM h CROSS JOIN LATERAL (
		SELECT j.id, j.run_at FROM job j
		WHERE j.state = 'running' AND j.lease_until < now() AND split_part(j.kind, '.', 1) = h.role
		ORDER BY j.lease_until LIMIT h.most FOR UPDATE SKIP LOCKED) d
),
ranked AS (
	SELECT *, row_number() OVER (PARTITION BY n ORDER BY run_at, id) AS place
	FROM (SELECT * FROM due UNION ALL SELECT * FROM left_behind) b
),
mine AS (
	UPDATE job j SET state = 'running', epoch = j.epoch + 1, attempts = j.attempts + 1,
	                 deaths = j.deaths + (j.state = 'running')::int, worker = r.worker,
	                 lease_until = clock_timestamp() + r.lease_s * interval '1 s'
	FROM ranked r WHERE j.id = r.id AND r.place <= r.most
	RETURNING r.n, j.id, j.tenant, j.order_id, j.group_no, j.kind, j.epoch, j.attempts, j.deaths, j.last_error,
	          j.priority, j.run_at, j.trace
)
SELECT m.n, m.id, m.tenant, m.order_id, m.group_no, m.kind, m.epoch, m.attempts, m.deaths, x.groups, x.state,
       m.last_error, m.priority, coalesce(m.trace, x.trace),
       (extract(epoch FROM clock_timestamp() - m.run_at) * 1000)::int8
FROM mine m JOIN orders x ON (x.tenant, x.id) = (m.tenant, m.order_id)
ORDER BY m.n, m.run_at, m.id
