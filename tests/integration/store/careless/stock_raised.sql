-- Forgets whose stock it may change.
-- unit: stock_raised   lane: order   rank: 10
-- head: tenant int4
-- answer: ordinal int8, tenant int4
WITH h AS MATERIALIZED (SELECT * FROM @head),
raised AS (UPDATE stock SET on_hand = on_hand + 1 WHERE (SELECT count(*) FROM h) > 0 RETURNING tenant)
SELECT h.n, r.tenant FROM h CROSS JOIN raised r ORDER BY h.n, r.tenant
