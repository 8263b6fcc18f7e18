-- The queues, of all tenants, with what is in them.  At most `most` jobs of each sort are counted, for counting a backlog of
-- millions would cost more than it tells; at_least: there were as many.
-- unit: queue_list   lane: read   rank: 52
-- head: most int4
-- answer: ordinal int8, role text, paused bool, reason text, changed_by text, changed_at timestamptz, ready int8, later int8
-- answer: running int8, dead int8, at_least bool, oldest_at timestamptz?
WITH h AS MATERIALIZED (SELECT * FROM @head),
jobs AS MATERIALIZED (
	SELECT h.n, d.what, split_part(d.kind, '.', 1) AS role, d.at FROM h CROSS JOIN LATERAL (
		(SELECT 'ready' AS what, j.kind, j.run_at AS at FROM job j
		 WHERE j.state = 'ready' AND j.run_at <= now() ORDER BY j.run_at LIMIT h.most)
		UNION ALL
		(SELECT 'later', j.kind, j.run_at FROM job j
		 WHERE j.state = 'ready' AND j.run_at > now() ORDER BY j.run_at LIMIT h.most)
		UNION ALL
		(SELECT 'running', j.kind, j.lease_until FROM job j
		 WHERE j.state = 'running' AND j.lease_until > '-infinity' ORDER BY j.lease_until LIMIT h.most)
		UNION ALL
		(SELECT 'dead', j.kind, j.created_at FROM job j
		 WHERE j.state = 'dead' AND j.created_at > '-infinity' ORDER BY j.created_at LIMIT h.most)) d
),
counts AS (
	SELECT n, role, count(*) FILTER (WHERE what = 'ready') AS ready, count(*) FILTER (WHERE what = 'later') AS later,
	       count(*) FILTER (WHERE what = 'running') AS running, count(*) FILTER (WHERE what = 'dead') AS dead,
	       min(at) FILTER (WHERE what = 'ready') AS oldest_at
	FROM jobs GROUP BY n, role
),
cut AS (SELECT n, max(c) AS c FROM (SELECT n, what, count(*) AS c FROM jobs GROUP BY n, what) x GROUP BY n)
SELECT h.n, q.role, q.paused, q.reason, q.changed_by, q.changed_at, coalesce(c.ready, 0), coalesce(c.later, 0),
       coalesce(c.running, 0), coalesce(c.dead, 0), coalesce(x.c >= h.most, false), c.oldest_at
FROM h CROSS JOIN queue q
LEFT JOIN counts c ON (c.n, c.role) = (h.n, q.role)
LEFT JOIN cut x ON x.n = h.n
ORDER BY h.n, q.role
