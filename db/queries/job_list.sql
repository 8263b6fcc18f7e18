-- Jobs for people to see: one by its id; those of an order that are not done; or those in one state, in the order in which
-- they matter, behind (after_at, after_id).  Each branch has an index of its own, and the others are not run.
-- A branch reads `scan` rows at most.  Of them come `most` hits, what the filter leaves, and always the last row read, which
-- says how many hits there were and whether there may be more behind it (full).
-- unit: job_list   lane: read   rank: 51
-- head: tenant int4, job_id uuid?, order_id uuid?, state text?, kind text?, role text?, error text?, made_from timestamptz?
-- head: made_before timestamptz?, later bool, after_at timestamptz?, after_id uuid?, scan int4, most int4
-- answer: ordinal int8, job_id uuid, order_id uuid, group_no int2, kind text, state text, priority int2, attempts int4
-- answer: deaths int4, run_at timestamptz, lease_until timestamptz?, worker uuid?, last_error text?, created_at timestamptz
-- answer: done_at timestamptz?, at timestamptz, hit bool, hits int8, full bool
WITH h AS MATERIALIZED (
	SELECT *, coalesce(after_at, '-infinity') AS from_at, coalesce(after_id, '00000000-0000-0000-0000-000000000000') AS from_id
	FROM @head
),
read AS MATERIALIZED (
	SELECT h.n, h.most, h.scan, d.*,
	       d.tenant = h.tenant AND (h.kind IS NULL OR d.kind = h.kind)
	       AND (h.role IS NULL OR split_part(d.kind, '.', 1) = h.role)
	       AND (h.error IS NULL OR starts_with(coalesce(d.last_error, ''), h.error))
	       AND (h.made_from IS NULL OR d.created_at >= h.made_from)
	       AND (h.made_before IS NULL OR d.created_at < h.made_before)
	       AND (NOT h.later OR d.run_at > now()) AS hit
	FROM h CROSS JOIN LATERAL (
		(SELECT j.*, j.created_at AS at FROM job j
		 WHERE j.id = h.job_id)
		UNION ALL
		(SELECT j.*, j.created_at AS at FROM job j
		 WHERE h.job_id IS NULL AND j.tenant = h.tenant AND j.order_id = h.order_id AND j.state <> 'done'
		   AND (h.state IS NULL OR j.state = h.state) AND (j.created_at, j.id) > (h.from_at, h.from_id)
		 ORDER BY j.created_at, j.id LIMIT h.scan)
		UNION ALL
		(SELECT j.*, j.run_at AS at FROM job j
		 WHERE h.job_id IS NULL AND h.order_id IS NULL AND h.state = 'ready' AND j.state = 'ready'
		   AND j.run_at >= h.from_at AND (j.run_at, j.id) > (h.from_at, h.from_id)
		 ORDER BY j.run_at, j.id LIMIT h.scan)
		UNION ALL
		(SELECT j.*, j.lease_until AS at FROM job j
		 WHERE h.job_id IS NULL AND h.order_id IS NULL AND h.state = 'running' AND j.state = 'running'
		   AND j.lease_until >= h.from_at AND (j.lease_until, j.id) > (h.from_at, h.from_id)
		 ORDER BY j.lease_until, j.id LIMIT h.scan)
		UNION ALL
		(SELECT j.*, j.created_at AS at FROM job j
		 WHERE h.job_id IS NULL AND h.order_id IS NULL AND h.state = 'dead' AND j.state = 'dead'
		   AND j.created_at >= h.from_at AND (j.created_at, j.id) > (h.from_at, h.from_id)
		 ORDER BY j.created_at, j.id LIMIT h.scan)) d
),
counted AS (
	SELECT *, count(*) FILTER (WHERE hit) OVER (PARTITION BY n ORDER BY at, id) AS hits,
	       count(*) OVER (PARTITION BY n ORDER BY at, id) AS place, count(*) OVER (PARTITION BY n) AS places
	FROM read
)
SELECT n, id, order_id, group_no, kind, state, priority, attempts, deaths, run_at, lease_until, worker, last_error, created_at,
       done_at, at, hit, hits, places = scan
FROM counted
WHERE (hit AND hits <= most) OR place = places
ORDER BY n, at, id
