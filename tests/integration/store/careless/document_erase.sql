-- Erases history.
-- unit: document_erase   lane: order   rank: 31
-- head: tenant int4
-- answer: ordinal int8, tenant int4
WITH h AS MATERIALIZED (SELECT * FROM @head),
gone AS (DELETE FROM stock_document d USING h WHERE d.tenant = h.tenant RETURNING h.n, d.tenant)
SELECT n, tenant FROM gone ORDER BY n
