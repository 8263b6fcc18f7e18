-- Ready jobs nobody has taken: what the sweep rings again, page by page.  One put off until now was never rung, so it
-- is listed as soon as it is due; a new one was rung when it was made, and gets older_ms to be taken.
-- unit: jobs_waiting   lane: read   rank: 40
-- head: older_ms int8, after_run timestamptz?, after_id uuid?, most int4
-- answer: ordinal int8, job_id uuid, kind text, priority int2, run_at timestamptz
WITH h AS MATERIALIZED (SELECT *, coalesce(after_run, '-infinity') AS from_run FROM @head)
SELECT h.n, d.id, d.kind, d.priority, d.run_at FROM h CROSS JOIN LATERAL (
	SELECT j.id, j.kind, j.priority, j.run_at FROM job j
	WHERE j.state = 'ready' AND j.run_at <= now()
	  AND (j.run_at <> j.created_at OR j.run_at <= now() - h.older_ms * interval '1 ms')
	  AND j.run_at >= h.from_run
	  AND (h.after_run IS NULL OR (j.run_at, j.id) > (h.after_run, h.after_id))
	ORDER BY j.run_at, j.id LIMIT h.most) d
ORDER BY h.n, d.run_at, d.id
