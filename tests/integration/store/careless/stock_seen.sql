-- Forgets whose stock it may see.
-- unit: stock_seen   lane: read   rank: 10
-- head: tenant int4
-- answer: ordinal int8, tenant int4
SELECT h.n, s.tenant FROM @head CROSS JOIN stock s ORDER BY h.n, s.tenant
