-- What the carriers offered for a parcel when its label was bought, cheapest first.
-- unit: shipment_rates   lane: read   rank: 46
-- head: tenant int4, shipment_id uuid
-- answer: ordinal int8, carrier text, service text, rate_minor int8, currency text, delivery_days int8?, chosen bool
SELECT h.n, r.carrier, r.service, r.rate_minor, r.currency, r.delivery_days::int8, r.chosen
  FROM @head
  JOIN shipment_rate r ON (r.tenant, r.shipment_id) = (h.tenant, h.shipment_id)
 ORDER BY h.n, r.rate_minor, r.rate_id
