-- Adds to the documents of whoever it is told.  Returns nothing of them: what it may see is not asked here.
-- unit: document_add   lane: order   rank: 20
-- head: tenant int4, whose int4, id uuid
-- answer: ordinal int8, tenant int4
WITH h AS MATERIALIZED (SELECT * FROM @head),
added AS (INSERT INTO stock_document (tenant, id, kind, reference, actor) SELECT whose, id, 'receipt', '', '' FROM h)
SELECT n, whose FROM h ORDER BY n
