-- The ledger, newest first, behind the place (before_at, before_cause, before_n): of an order, of an item, at a location, or
-- what is all of those named.  Three branches, because each has an index of its own; two of them are not run at all.  A
-- filter that names nothing we know finds nothing: item -1 and location -1 are nobody's.
-- unit: movement_list   lane: read   rank: 28
-- head: tenant int4, sku text?, location_code text?, order_id uuid?, before_at timestamptz?, before_cause uuid?, before_n int8?, most int4
-- head: locations text?
-- answer: ordinal int8, sku text, location_code text, from_bucket text, to_bucket text, qty int8, order_id uuid?, line int8?, cause uuid, movement int8, at timestamptz
WITH h AS MATERIALIZED (
	SELECT n, tenant, order_id, most, locations, sku IS NOT NULL AS by_item, location_code IS NOT NULL AS by_place,
	       coalesce((SELECT i.item FROM item i WHERE (i.tenant, i.sku) = (h.tenant, h.sku)), -1) AS item,
	       coalesce((SELECT w.location FROM location w
	                  WHERE (w.tenant, w.code) = (h.tenant, h.location_code) AND @located(w, h)), -1) AS location,
	       coalesce(before_at, 'infinity') AS before_at,
	       coalesce(before_cause, 'ffffffff-ffff-ffff-ffff-ffffffffffff') AS before_cause,
	       coalesce(before_n, 0) AS before_n
	  FROM @head
)
SELECT h.n, i.sku, w.code, m.from_bucket, m.to_bucket, m.qty, m.order_id, m.line::int8, m.cause, m.n::int8, m.at
  FROM h
 CROSS JOIN LATERAL (
	(SELECT *
	   FROM stock_movement m
	  WHERE (m.tenant, m.order_id) = (h.tenant, h.order_id) AND @located(m, h)
	    AND (NOT h.by_item OR m.item = h.item) AND (NOT h.by_place OR m.location = h.location)
	    AND (m.at, m.cause, m.n) < (h.before_at, h.before_cause, h.before_n)
	  ORDER BY m.at DESC, m.cause DESC, m.n DESC
	  LIMIT h.most)
	UNION ALL
	(SELECT *
	   FROM stock_movement m
	  WHERE h.order_id IS NULL AND h.by_item AND (m.tenant, m.item) = (h.tenant, h.item) AND @located(m, h)
	    AND (NOT h.by_place OR m.location = h.location)
	    AND (m.at, m.cause, m.n) < (h.before_at, h.before_cause, h.before_n)
	  ORDER BY m.tenant DESC, m.item DESC, m.at DESC, m.cause DESC, m.n DESC
	  LIMIT h.most)
	UNION ALL
	(SELECT *
	   FROM stock_movement m
	  WHERE h.order_id IS NULL AND NOT h.by_item AND (m.tenant, m.location) = (h.tenant, h.location)
	    AND (m.at, m.cause, m.n) < (h.before_at, h.before_cause, h.before_n)
	  ORDER BY m.tenant DESC, m.location DESC, m.at DESC, m.cause DESC, m.n DESC
	  LIMIT h.most)
 ) m
  JOIN item i ON (i.tenant, i.item) = (m.tenant, m.item)
  JOIN location w ON (w.tenant, w.location) = (m.tenant, m.location)
 ORDER BY h.n, m.at DESC, m.cause DESC, m.n DESC
