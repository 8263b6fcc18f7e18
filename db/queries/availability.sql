-- What lies where of some items: one row per stock row, at least one per line.  An unknown sku has item 0, an item that
-- lies nowhere an empty location_code.
-- unit: availability   lane: read   rank: 30
-- head: tenant int4, locations text?
-- line: line int4, sku text
-- answer: ordinal int8, line int4, item int8, location_code text, on_hand int8, reserved int8, allocated int8, unavailable int8
WITH h AS MATERIALIZED (
	SELECT * FROM @head
), l AS MATERIALIZED (
	SELECT @of(tenant) AS tenant, @of(locations) AS locations, l.* FROM @line
)
SELECT l.n, l.line, coalesce(i.item, 0), coalesce(p.code, ''),
       coalesce(s.on_hand, 0), coalesce(s.reserved, 0), coalesce(s.allocated, 0), coalesce(s.unavailable, 0)
  FROM l
  LEFT JOIN item i ON (i.tenant, i.sku) = (l.tenant, l.sku)
  LEFT JOIN stock s ON (s.tenant, s.item) = (i.tenant, i.item) AND @located(s, l)
  LEFT JOIN location p ON (p.tenant, p.location) = (s.tenant, s.location)
 ORDER BY l.n, l.line, p.code
