-- Rewrites history.
-- unit: document_change   lane: order   rank: 30
-- head: tenant int4
-- answer: ordinal int8, tenant int4
WITH h AS MATERIALIZED (SELECT * FROM @head),
changed AS (UPDATE stock_document d SET actor = 'nobody' FROM h WHERE d.tenant = h.tenant RETURNING h.n, d.tenant)
SELECT n, tenant FROM changed ORDER BY n
