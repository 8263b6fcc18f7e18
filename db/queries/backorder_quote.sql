-- What a confirmed order lacks, from behind line `after`, at most `most` lines; and where how much of it is free: a row per
-- line and location, at least one per line, whose location is 0 when there is none.  Of the locations those that a plan
-- would prefer, places of them at most.  missed: this order has been short there.  missing: units of all its lines that
-- are; more: there are further lines.
-- unit: backorder_quote   lane: read   rank: 46
-- head: tenant int4, order_id uuid, after int4, most int4, places int4
-- answer: ordinal int8, line int4, item int8, qty int8, location int4, priority int4, latitude_e6 int4, longitude_e6 int4, available int8, missed bool, missing int8, more bool
SELECT h.n, g.line, g.item, g.backordered, coalesce(s.location, 0), coalesce(s.priority, 0), coalesce(s.latitude_e6, 0),
       coalesce(s.longitude_e6, 0), coalesce(s.available, 0), coalesce(s.missed, false), m.missing,
       m.last > max(g.line) OVER (PARTITION BY h.n)
  FROM @head
  JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id) AND x.state = 'confirmed'
 CROSS JOIN LATERAL (
	SELECT sum(l.backordered)::int8 AS missing, max(l.line) AS last
	  FROM order_line l
	 WHERE (l.tenant, l.order_id) = (x.tenant, x.id) AND l.backordered > 0
 ) m
 CROSS JOIN LATERAL (
	SELECT l.line, l.item, l.backordered
	  FROM order_line l
	 WHERE (l.tenant, l.order_id) = (x.tenant, x.id) AND l.backordered > 0 AND l.line > h.after
	 ORDER BY l.line
	 LIMIT h.most
 ) g
  LEFT JOIN LATERAL (
	SELECT p.location, p.priority, p.latitude_e6, p.longitude_e6, f.available,
	       EXISTS (SELECT FROM stock_movement v
	                WHERE (v.tenant, v.order_id) = (h.tenant, h.order_id) AND v.location = k.location
	                  AND v.to_bucket = 'backordered') AS missed
	  FROM stock k
	  JOIN location p ON (p.tenant, p.location) = (k.tenant, k.location)
	 CROSS JOIN LATERAL (SELECT k.on_hand - k.reserved - k.allocated - k.unavailable AS available) f
	 WHERE (k.tenant, k.item) = (h.tenant, g.item) AND f.available > 0
	 ORDER BY missed, p.priority, p.location
	 LIMIT h.places
 ) s ON true
 ORDER BY h.n, g.line, s.location
