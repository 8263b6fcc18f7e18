-- Items as the catalogue has them now: new ones appear, known ones take over what is said here.  Sorted by sku, so that
-- two batches never wait for each other; an item named twice in a batch takes what was said last.
-- unit: item_upsert   lane: order   rank: 50
-- head: tenant int4
-- line: line int4, sku text, title text, unit_minor int8, currency text, weight_g int4
-- answer: ordinal int8, line int4, item int8
WITH h AS MATERIALIZED (
	SELECT * FROM @head
), l AS MATERIALIZED (
	SELECT @of(tenant) AS tenant, l.* FROM @line
), last AS (
	SELECT DISTINCT ON (tenant, sku) * FROM l ORDER BY tenant, sku, n DESC, line DESC
), kept AS (
	INSERT INTO item AS i (tenant, sku, title, unit_minor, currency, weight_g)
	SELECT tenant, sku, title, unit_minor, currency, weight_g FROM last ORDER BY tenant, sku
	    ON CONFLICT (tenant, sku) DO UPDATE
	   SET title = excluded.title, unit_minor = excluded.unit_minor, currency = excluded.currency,
	       weight_g = excluded.weight_g,
	       updated_at = CASE WHEN (i.title, i.unit_minor, i.currency, i.weight_g)
	                            = (excluded.title, excluded.unit_minor, excluded.currency, excluded.weight_g)
	                         THEN i.updated_at ELSE now() END
	RETURNING i.tenant, i.sku, i.item
), both_sides AS ( -- a join of lines and items by sorting: it must not become a nested loop over 4,096 lines
	SELECT n, line, tenant, sku, NULL::int8 AS item FROM l
	UNION ALL
	SELECT NULL, NULL, tenant, sku, item FROM kept
)
SELECT n, line, item
  FROM (SELECT n, line, max(item) OVER (PARTITION BY tenant, sku) AS item FROM both_sides) x
 WHERE n IS NOT NULL
 ORDER BY n, line
