-- Knows no tenant and writes, as the claim of a job.
-- unit: jobs_of_all   lane: job   rank: 10
-- head: run_at timestamptz
-- answer: ordinal int8, tenant int4
WITH h AS MATERIALIZED (SELECT * FROM @head),
moved AS (UPDATE job SET run_at = (SELECT max(h.run_at) FROM h) RETURNING tenant)
SELECT h.n, m.tenant FROM h CROSS JOIN moved m ORDER BY h.n, m.tenant
