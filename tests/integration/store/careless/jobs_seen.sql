-- Forgets whose jobs it may change; travels with jobs_of_all.
-- unit: jobs_seen   lane: job   rank: 20
-- head: tenant int4
-- answer: ordinal int8, tenant int4
WITH h AS MATERIALIZED (SELECT * FROM @head),
moved AS (UPDATE job SET attempts = attempts + 1 WHERE (SELECT count(*) FROM h) > 0 RETURNING tenant)
SELECT h.n, m.tenant FROM h CROSS JOIN moved m ORDER BY h.n, m.tenant
