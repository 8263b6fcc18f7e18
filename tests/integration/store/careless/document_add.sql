-- Adds to the documents of whoever it is told.
-- unit: document_add   lane: order   rank: 20
-- head: tenant int4, whose int4, id uuid
-- answer: ordinal int8, tenant int4
WITH h AS MATERIALIZED (SELECT * FROM @head),
added AS (
	INSERT INTO stock_document (tenant, id, kind, reference, actor) SELECT whose, id, 'receipt', '', '' FROM h
	RETURNING id, tenant
)
SELECT h.n, a.tenant FROM h JOIN added a USING (id) ORDER BY h.n
