-- Knows no tenant and only looks, as the view of the queues.
-- unit: jobs_read   lane: read   rank: 13
-- head: dummy int4
-- answer: ordinal int8, tenant int4
SELECT h.n, j.tenant FROM @head CROSS JOIN job j ORDER BY h.n, j.tenant
