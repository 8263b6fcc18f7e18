-- The shipment groups of an order: what each is paid with, and its parcel if there is one already.
-- unit: order_groups   lane: read   rank: 22
-- head: tenant int4, order_id uuid, owner text?
-- answer: ordinal int8, group_no int2, location int4, location_code text, payment_state text, amount_minor int8, authorized_minor int8, captured_minor int8, decline_code text?, shipment_id uuid?, shipment_state text?, carrier text?, service text?, tracking_code text?, tracking_state text?, tracking_url text?, exception text?, fulfillment_id uuid?
SELECT h.n, p.group_no, p.location, coalesce(w.code, ''), p.state, p.amount_minor, p.authorized_minor, p.captured_minor,
       (SELECT a.decline_code FROM payment_attempt a
         WHERE (a.tenant, a.order_id, a.group_no) = (p.tenant, p.order_id, p.group_no) ORDER BY a.n DESC LIMIT 1),
       s.id, s.state, s.carrier, s.service, s.tracking_code, s.tracking_state, s.tracking_url, s.exception, f.id
  FROM @head
  JOIN orders o ON (o.tenant, o.id) = (h.tenant, h.order_id) AND @owned(o, h)
  JOIN payment p ON (p.tenant, p.order_id) = (o.tenant, o.id)
  LEFT JOIN location w ON (w.tenant, w.location) = (p.tenant, p.location)
  LEFT JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (p.tenant, p.order_id, p.group_no)
  LEFT JOIN fulfillment_order f ON (f.tenant, f.order_id, f.group_no) = (p.tenant, p.order_id, p.group_no)
 ORDER BY h.n, p.group_no
