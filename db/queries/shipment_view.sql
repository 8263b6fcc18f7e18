-- A parcel as people see it, without its lists.
-- unit: shipment_view   lane: read   rank: 45
-- head: tenant int4, shipment_id uuid, owner text?, locations text?
-- answer: ordinal int8, order_id uuid, order_number int8, group_no int2, location_code text, state text, carrier text?
-- answer: service text?, tracking_code text?, tracking_url text?, tracking_state text?, exception text?, leg int2
-- answer: sscc text?, weight_g int8, rate_minor int8?, currency text?, created_at timestamptz, updated_at timestamptz
SELECT h.n, s.order_id, x.number, s.group_no, coalesce(f.code, ''), s.state, s.carrier,
       s.service, s.tracking_code, s.tracking_url, s.tracking_state, s.exception, s.leg,
       s.sscc, s.weight_g, s.rate_minor, s.currency, s.created_at, s.updated_at
  FROM @head
  JOIN shipment s ON (s.tenant, s.id) = (h.tenant, h.shipment_id) AND @located(s, h)
  JOIN orders x ON (x.tenant, x.id) = (s.tenant, s.order_id) AND @owned(x, h)
  LEFT JOIN location f ON (f.tenant, f.location) = (s.tenant, s.location)
 ORDER BY h.n
