-- All scans of a parcel, in the order in which they happened.
-- unit: shipment_scans   lane: read   rank: 48
-- head: tenant int4, shipment_id uuid
-- answer: ordinal int8, at timestamptz, status text, detail text, message text, city text, source text
SELECT h.n, e.at, e.status, e.detail, e.message, e.city, e.source
  FROM @head
  JOIN shipment_scan e ON (e.tenant, e.shipment_id) = (h.tenant, h.shipment_id)
 ORDER BY h.n, e.at, e.status, e.detail
