-- What an order needs to know of items before it is placed: prices, weights, and where how much is free.
-- One row per line and location that has a stock row, at least one per line: an unknown sku has item 0, an item that
-- lies nowhere has location 0.  Every row brings the epoch Redis has to be of, so that its numbers can be believed.
-- unit: catalog_quote   lane: read   rank: 10
-- head: tenant int4
-- line: line int4, sku text
-- answer: ordinal int8, line int4, item int8, title text, unit_minor int8, currency text, weight_g int4, location int4, location_code text, priority int4, latitude_e6 int4, longitude_e6 int4, available int8, epoch int8
WITH h AS MATERIALIZED (
	SELECT * FROM @head
), l AS MATERIALIZED (
	SELECT @of(tenant) AS tenant, l.* FROM @line
)
SELECT l.n, l.line, coalesce(i.item, 0), coalesce(i.title, ''), coalesce(i.unit_minor, 0), coalesce(i.currency, ''),
       coalesce(i.weight_g, 0), coalesce(p.location, 0), coalesce(p.code, ''), coalesce(p.priority, 0),
       coalesce(p.latitude_e6, 0), coalesce(p.longitude_e6, 0),
       coalesce(s.on_hand - s.reserved - s.allocated - s.unavailable, 0),
       (SELECT value FROM generation WHERE name = 'stock')
  FROM l
  LEFT JOIN item i ON (i.tenant, i.sku) = (l.tenant, l.sku)
  LEFT JOIN stock s ON (s.tenant, s.item) = (i.tenant, i.item)
  LEFT JOIN location p ON (p.tenant, p.location) = (s.tenant, s.location)
 ORDER BY l.n, l.line, p.location
