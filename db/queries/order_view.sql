-- An order with its lines: one row per line, the order's own columns repeated.
-- unit: order_view   lane: read   rank: 20
-- head: tenant int4, order_id uuid, owner text?
-- answer: ordinal int8, number int8, state text, payment_state text, fulfillment_state text, version int8, groups int2, currency text, total_minor int8, customer text, channel text, reference text, sealed bytea?, created_at timestamptz, updated_at timestamptz, expires_at timestamptz, line int4, item int8, sku text, title text, unit_minor int8, ordered int8, unassigned int8, reserved int8, backordered int8, allocated int8, picked int8, packed int8, shipped int8, delivered int8, cancelled int8, returned int8
SELECT h.n, o.number, o.state, o.payment_state, o.fulfillment_state, o.version, o.groups, o.currency, o.total_minor,
       o.customer, o.channel, o.reference, c.sealed, o.created_at, o.updated_at, o.expires_at,
       g.line, g.item, i.sku, i.title, g.unit_minor, g.ordered, g.unassigned, g.reserved, g.backordered, g.allocated,
       g.picked, g.packed, g.shipped, g.delivered, g.cancelled, g.returned
  FROM @head
  JOIN orders o ON (o.tenant, o.id) = (h.tenant, h.order_id) AND @owned(o, h)
  JOIN order_line g ON (g.tenant, g.order_id) = (o.tenant, o.id)
  JOIN item i ON (i.tenant, i.item) = (g.tenant, g.item)
  LEFT JOIN contact c ON (c.tenant, c.id) = (o.tenant, o.contact_id)
 ORDER BY h.n, g.line
