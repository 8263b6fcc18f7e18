-- Goods that came in at a location.  Whole or not at all: one unknown sku refuses the receipt, and `line` says which.
-- A receipt is answered with one row per line, so that what is known elsewhere of these items can be forgotten.
-- unit: stock_receive   lane: order   rank: 52
-- keys: id(receipt_id), request(tenant, request_method, request_key)
-- head: tenant int4, receipt_id uuid, request_method int2, request_key text, fingerprint bytea, location_code text, reference text, actor text
-- head: locations text?
-- line: line int4, sku text, qty int8
-- answer: ordinal int8, outcome text, line int4, item int8?
-- stock: receipt_id
WITH h AS MATERIALIZED (
	SELECT * FROM @head
), places AS MATERIALIZED (
	SELECT h.*, p.location
	  FROM h
	  LEFT JOIN location p ON (p.tenant, p.code) = (h.tenant, h.location_code) AND @located(p, h)
), seen AS MATERIALIZED (
	SELECT h.n FROM h JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
), l AS MATERIALIZED (
	SELECT @of(tenant) AS tenant, l.* FROM @line
), goods AS MATERIALIZED (
	SELECT l.*, i.item FROM l LEFT JOIN item i ON (i.tenant, i.sku) = (l.tenant, l.sku)
), judged AS MATERIALIZED (
	SELECT *, CASE WHEN location IS NULL THEN 'unknown_location'
	               WHEN n IN (SELECT n FROM seen) THEN 'seen'
	               WHEN n IN (SELECT n FROM goods WHERE item IS NULL) THEN 'unknown_item'
	               ELSE 'received' END AS outcome
	  FROM places
), request_rows AS (
	INSERT INTO request (tenant, method, key, fingerprint, resource)
	SELECT tenant, request_method, request_key, fingerprint, receipt_id
	  FROM judged
	 WHERE outcome = 'received'
	 ORDER BY tenant, request_method, request_key
	    ON CONFLICT DO NOTHING
	RETURNING resource
), won AS MATERIALIZED (
	SELECT * FROM judged WHERE outcome = 'received' AND (receipt_id IN (SELECT resource FROM request_rows)) IS TRUE
), moves AS MATERIALIZED (
	SELECT n, line, tenant, @of(receipt_id) AS cause, item, qty,
	       (SELECT array_agg(location ORDER BY n) FROM places)[l.n] AS location
	  FROM goods l
	 WHERE (n IN (SELECT n FROM won)) IS TRUE
), document_rows AS (
	INSERT INTO stock_document (tenant, id, kind, reference, actor)
	SELECT tenant, receipt_id, 'receipt', reference, actor FROM won
), stock_rows AS (
	INSERT INTO stock (tenant, item, location)
	SELECT DISTINCT tenant, item, location FROM moves ORDER BY tenant, item, location
	    ON CONFLICT DO NOTHING
), movement_rows AS (
	INSERT INTO stock_movement (tenant, cause, n, item, location, from_bucket, to_bucket, qty)
	SELECT tenant, cause, row_number() OVER (PARTITION BY n ORDER BY line), item, location, 'outside', 'on_hand', qty
	  FROM moves
)
SELECT n, 'received' AS outcome, line, item FROM moves
UNION ALL
SELECT n, CASE outcome WHEN 'received' THEN 'seen' ELSE outcome END, 0, NULL
  FROM judged
 WHERE outcome <> 'unknown_item' AND (n IN (SELECT n FROM won)) IS NOT TRUE
UNION ALL
SELECT n, 'unknown_item', min(line), NULL
  FROM goods
 WHERE item IS NULL AND (n IN (SELECT n FROM judged WHERE outcome = 'unknown_item')) IS TRUE
 GROUP BY n
 ORDER BY n, line
