-- Every label a parcel ever had, oldest first.
-- unit: shipment_labels   lane: read   rank: 47
-- head: tenant int4, shipment_id uuid
-- answer: ordinal int8, carrier text, service text, tracking_code text, rate_minor int8, currency text
-- answer: bought_at timestamptz, voided_at timestamptz?
SELECT h.n, b.carrier, b.service, b.tracking_code, b.rate_minor, b.currency, b.bought_at, b.voided_at
  FROM @head
  JOIN shipment_label b ON (b.tenant, b.shipment_id) = (h.tenant, h.shipment_id)
 ORDER BY h.n, b.bought_at, b.remote_id
