-- Orders that lie still, behind after_id, with why: held, dead_job, no_work, unmoved.  The oldest first, `most` of them and
-- 16 reasons each.  Three places are looked at, `scan` entries of each: open holds, orders at work, and, when unmoved_s is
-- given, whatever has work.  Judged is what lies before the end of the shortest look; when one was cut short, a last row
-- `more` says how far it went.
-- unit: orders_stuck   lane: read   rank: 55
-- head: tenant int4, after_id uuid?, unmoved_s int8?, scan int4, most int4
-- answer: ordinal int8, why text, order_id uuid, number int8, state text, updated_at timestamptz?, group_no int2
-- answer: subject text?, detail text?, job_id uuid?, since timestamptz?
WITH h AS MATERIALIZED (
	SELECT *, coalesce(after_id, '00000000-0000-0000-0000-000000000000') AS from_id FROM @head
),
looked AS MATERIALIZED (
	SELECT h.n, h.tenant, h.scan, d.place, d.id FROM h CROSS JOIN LATERAL (
		(SELECT 1 AS place, o.order_id AS id FROM order_hold o
		 WHERE o.released_at IS NULL AND o.tenant = h.tenant AND o.order_id > h.from_id ORDER BY o.order_id LIMIT h.scan)
		UNION ALL
		(SELECT 2, o.id FROM orders o
		 WHERE o.state IN ('confirmed', 'cancelling') AND o.tenant = h.tenant AND o.id > h.from_id ORDER BY o.id LIMIT h.scan)
		UNION ALL
		(SELECT 3, j.order_id FROM job j
		 WHERE h.unmoved_s IS NOT NULL AND j.state <> 'done' AND j.tenant = h.tenant AND j.order_id > h.from_id
		 ORDER BY j.order_id LIMIT h.scan)) d
),
ends AS MATERIALIZED (
	SELECT DISTINCT ON (n) n, id FROM (
		SELECT n, (array_agg(id ORDER BY id DESC))[1] AS id FROM looked GROUP BY n, place, scan HAVING count(*) >= scan) e
	ORDER BY n, id
),
-- An order's entries may go on behind the end, but its reasons are read from their tables, whole.
orders_seen AS MATERIALIZED (
	SELECT DISTINCT l.n, l.tenant, l.id FROM looked l
	WHERE NOT EXISTS (SELECT FROM ends e WHERE e.n = l.n AND l.id > e.id)
),
known AS MATERIALIZED (
	SELECT s.n, s.tenant, s.id, x.number, x.state, x.updated_at, x.expires_at, h.unmoved_s, h.most
	FROM orders_seen s JOIN orders x ON (x.tenant, x.id) = (s.tenant, s.id) JOIN h ON h.n = s.n
),
held AS MATERIALIZED (
	SELECT k.n, k.id, 1 AS place, 'held' AS why, d.group_no, d.reason AS subject, d.detail, NULL::uuid AS job_id, d.opened_at AS since
	FROM known k JOIN order_hold d ON (d.tenant, d.order_id) = (k.tenant, k.id)
	WHERE d.released_at IS NULL AND d.reason <> 'job_dead'
),
dead AS MATERIALIZED (
	SELECT k.n, k.id, 2, 'dead_job', j.group_no, j.kind, j.last_error, j.id, coalesce(d.opened_at, j.created_at)
	FROM known k JOIN job j ON (j.tenant, j.order_id) = (k.tenant, k.id) AND j.state NOT IN ('ready', 'running', 'parked', 'done')
	LEFT JOIN order_hold d ON (d.tenant, d.order_id, d.group_no, d.reason) = (j.tenant, j.order_id, j.group_no, 'job_dead')
	 AND d.released_at IS NULL
),
idle AS MATERIALIZED (
	SELECT k.n, k.id, 3, 'no_work', 0::int2, NULL::text, NULL::text, NULL::uuid, k.updated_at
	FROM known k
	WHERE k.state IN ('confirmed', 'cancelling')
	  AND NOT EXISTS (SELECT FROM job j WHERE (j.tenant, j.order_id) = (k.tenant, k.id) AND j.state <> 'done'
	                                      AND j.kind <> 'notification.mail')
	  AND NOT EXISTS (SELECT FROM order_hold d WHERE (d.tenant, d.order_id) = (k.tenant, k.id) AND d.released_at IS NULL)
),
unmoved AS MATERIALIZED (
	SELECT k.n, k.id, 4, 'unmoved', 0::int2, NULL::text, NULL::text, NULL::uuid, k.updated_at
	FROM known k
	WHERE k.state IN ('pending', 'confirmed', 'cancelling') AND k.updated_at < now() - k.unmoved_s * interval '1 s'
),
reasons AS (
	SELECT r.*, dense_rank() OVER (PARTITION BY n ORDER BY id) AS nth,
	       row_number() OVER (PARTITION BY n, id ORDER BY place, group_no, subject, job_id) AS which
	FROM (SELECT * FROM held UNION ALL SELECT * FROM dead UNION ALL SELECT * FROM idle UNION ALL SELECT * FROM unmoved) r
),
told AS (
	SELECT r.n, 0 AS last, r.which, r.why, r.id, k.number, k.state, k.updated_at, r.group_no, r.subject, r.detail, r.job_id, r.since
	FROM reasons r JOIN known k ON (k.n, k.id) = (r.n, r.id)
	WHERE r.nth <= k.most AND r.which <= 16
	UNION ALL
	SELECT n, 1, 0, 'more', id, 0, '', NULL, 0::int2, NULL, NULL, NULL, NULL FROM ends
)
SELECT n, why, id, number, state, updated_at, group_no, subject, detail, job_id, since
FROM told ORDER BY n, last, id, which
