-- Running jobs whose lease ran out: their worker is gone or stuck.
-- unit: jobs_orphaned   lane: read   rank: 41
-- head: most int4
-- answer: ordinal int8, job_id uuid, kind text, priority int2
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, d.id, d.kind, d.priority FROM h CROSS JOIN LATERAL (
	SELECT j.id, j.kind, j.priority, j.lease_until FROM job j
	WHERE j.state = 'running' AND j.lease_until < now()
	ORDER BY j.lease_until LIMIT h.most) d
ORDER BY h.n, d.lease_until, d.id
