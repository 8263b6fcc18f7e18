-- What is printed on a shipment's label, one row.  It weighs what the packer said, or else what its items come to.
-- unit: label_view   lane: read   rank: 25
-- head: tenant int4, shipment_id uuid, locations text?
-- answer: ordinal int8, order_id uuid, number int8, reference text, group_no int2, groups int2, state text
-- answer: carrier text?, service text?, tracking_code text?, sscc text?, weight_g int8, sealed bytea?
-- answer: from_name text, from_street text, from_city text, from_region text, from_postal_code text, from_country text
SELECT h.n, s.order_id, o.number, o.reference, s.group_no, o.groups, s.state,
       s.carrier, s.service, s.tracking_code, s.sscc, CASE WHEN s.weight_g > 0 THEN s.weight_g ELSE goods.weight_g END, c.sealed,
       f.name, f.street, f.city, f.region, f.postal_code, f.country
  FROM @head
  JOIN shipment s ON (s.tenant, s.id) = (h.tenant, h.shipment_id) AND @located(s, h)
  JOIN orders o ON (o.tenant, o.id) = (s.tenant, s.order_id)
  JOIN location f ON (f.tenant, f.location) = (s.tenant, s.location)
  LEFT JOIN contact c ON (c.tenant, c.id) = (o.tenant, o.contact_id)
 CROSS JOIN LATERAL (
	SELECT coalesce(sum(r.qty * i.weight_g), 0)::int8 AS weight_g
	  FROM reservation r JOIN item i ON (i.tenant, i.item) = (r.tenant, r.item)
	 WHERE (r.tenant, r.order_id) = (s.tenant, s.order_id) AND r.group_no = s.group_no AND r.state <> 'released') goods
 ORDER BY h.n
