-- A correction of what lies at a location.  delta > 0 was found and < 0 lost or written off; with `unavailable` goods are
-- taken off sale (> 0) or put back on (< 0).  Judged on the snapshot like order_place: of several in a batch that take
-- from the same stock the first is decided, the others are asked again.
-- left_qty: what could still be taken, after this one or instead of it.
-- unit: stock_adjust   lane: order   rank: 53
-- keys: id(adjustment_id), request(tenant, request_method, request_key)
-- head: tenant int4, adjustment_id uuid, request_method int2, request_key text, fingerprint bytea, location_code text, sku text, delta int8, unavailable bool, reason text, actor text
-- answer: ordinal int8, outcome text, left_qty int8, item int8?
-- stock: adjustment_id
-- again: outcome
WITH h AS MATERIALIZED (
	SELECT * FROM @head
), seen AS MATERIALIZED (
	SELECT h.n FROM h JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
), found AS (
	SELECT h.*, i.item, p.location, h.delta < 0 OR h.unavailable AS takes, (h.n IN (SELECT n FROM seen)) AS seen,
	       CASE WHEN h.unavailable AND h.delta < 0 THEN coalesce(s.unavailable, 0)
	            ELSE coalesce(s.on_hand - s.reserved - s.allocated - s.unavailable, 0) END AS free
	  FROM h
	  LEFT JOIN item i ON (i.tenant, i.sku) = (h.tenant, h.sku)
	  LEFT JOIN location p ON (p.tenant, p.code) = (h.tenant, h.location_code)
	  LEFT JOIN stock s ON (s.tenant, s.item, s.location) = (i.tenant, i.item, p.location)
), queued AS (
	SELECT *, count(*) FILTER (WHERE takes AND NOT seen) OVER (PARTITION BY tenant, item, location ORDER BY n) AS takers
	  FROM found
), judged AS MATERIALIZED (
	SELECT *, CASE WHEN seen THEN 'seen'
	               WHEN location IS NULL THEN 'unknown_location'
	               WHEN item IS NULL THEN 'unknown_item'
	               WHEN takes AND takers > 1 THEN 'again'
	               WHEN takes AND free < abs(delta) THEN 'short'
	               ELSE 'adjusted' END AS outcome
	  FROM queued
), request_rows AS (
	INSERT INTO request (tenant, method, key, fingerprint, resource)
	SELECT tenant, request_method, request_key, fingerprint, adjustment_id
	  FROM judged
	 WHERE outcome = 'adjusted'
	 ORDER BY tenant, request_method, request_key
	    ON CONFLICT DO NOTHING
	RETURNING resource
), won AS MATERIALIZED (
	SELECT * FROM judged WHERE outcome = 'adjusted' AND (adjustment_id IN (SELECT resource FROM request_rows)) IS TRUE
), document_rows AS (
	INSERT INTO stock_document (tenant, id, kind, reference, actor)
	SELECT tenant, adjustment_id, 'adjustment', reason, actor FROM won
), stock_rows AS (
	INSERT INTO stock (tenant, item, location)
	SELECT DISTINCT tenant, item, location FROM won ORDER BY tenant, item, location
	    ON CONFLICT DO NOTHING
), movement_rows AS (
	INSERT INTO stock_movement (tenant, cause, n, item, location, from_bucket, to_bucket, qty)
	SELECT tenant, adjustment_id, 1, item, location,
	       CASE WHEN NOT unavailable AND delta > 0 THEN 'outside'
	            WHEN unavailable AND delta < 0 THEN 'unavailable' ELSE 'on_hand' END,
	       CASE WHEN NOT unavailable AND delta < 0 THEN 'outside'
	            WHEN unavailable AND delta > 0 THEN 'unavailable' ELSE 'on_hand' END,
	       abs(delta)
	  FROM won
	 WHERE delta <> 0
)
SELECT n, outcome, free + CASE WHEN unavailable THEN -abs(delta) ELSE delta END AS left_qty, item FROM won
UNION ALL
SELECT n, CASE outcome WHEN 'adjusted' THEN 'seen' ELSE outcome END, free, item
  FROM judged
 WHERE (n IN (SELECT n FROM won)) IS NOT TRUE
 ORDER BY n
