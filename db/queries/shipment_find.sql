-- The shipment of one group with all a label needs: sender, sealed recipient, weight, what the order asked for.
-- labels: how many were bought for it so far, voided ones too.
-- unit: shipment_find   lane: read   rank: 44
-- head: tenant int4, order_id uuid, group_no int2
-- answer: ordinal int8, shipment_id uuid, state text, remote_id text?, tracker_id text?, tracking_code text?
-- answer: tracking_state text?, carrier text?, order_state text, payment_state text, number int8
-- answer: from_name text, from_street text, from_city text, from_region text, from_postal_code text, from_country text
-- answer: sealed bytea, weight_g int8, ship_service text, currency text, labels int4
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, s.id, s.state, s.remote_id, s.tracker_id, s.tracking_code,
       s.tracking_state, s.carrier, x.state, p.state, x.number,
       f.name, f.street, f.city, f.region, f.postal_code, f.country,
       c.sealed, CASE WHEN s.weight_g > 0 THEN s.weight_g ELSE goods.weight_g END, x.ship_service, x.currency,
       (SELECT count(*)::int FROM shipment_label b WHERE (b.tenant, b.shipment_id) = (s.tenant, s.id))
FROM h
JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (h.tenant, h.order_id, h.group_no)
JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
JOIN location f ON (f.tenant, f.location) = (s.tenant, s.location)
JOIN contact c ON (c.tenant, c.id) = (x.tenant, x.contact_id)
CROSS JOIN LATERAL (
	SELECT coalesce(sum(r.qty * i.weight_g), 0)::int8 AS weight_g
	FROM reservation r JOIN item i ON (i.tenant, i.item) = (r.tenant, r.item)
	WHERE (r.tenant, r.order_id) = (h.tenant, h.order_id) AND r.group_no = h.group_no AND r.state <> 'released') goods
ORDER BY h.n
