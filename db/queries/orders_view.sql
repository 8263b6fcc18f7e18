-- order_view for many orders at once: its columns, then which line of the question a row belongs to.  Orders that have
-- more than `most` lines together are cut: each answers its first line only.
-- unit: orders_view   lane: read   rank: 26
-- head: tenant int4, most int4, owner text?
-- line: place int4, order_id uuid
-- answer: ordinal int8, number int8, state text, payment_state text, fulfillment_state text, version int8, groups int2, currency text, total_minor int8, customer text, channel text, reference text, sealed bytea?, created_at timestamptz, updated_at timestamptz, expires_at timestamptz, line int4, item int8, sku text, title text, unit_minor int8, ordered int8, unassigned int8, reserved int8, backordered int8, allocated int8, picked int8, packed int8, shipped int8, delivered int8, cancelled int8, returned int8, place int4, cut bool
WITH h AS MATERIALIZED (
	SELECT * FROM @head
), l AS MATERIALIZED (
	SELECT @of(tenant) AS tenant, @of(most) AS most, @of(owner) AS owner, l.* FROM @line
), s AS MATERIALIZED ( -- lines of orders that are not the asker's are not counted: that would tell of them
	SELECT l.*, sum((SELECT count(*) FROM order_line g WHERE (g.tenant, g.order_id) = (o.tenant, o.id)))
	            OVER (PARTITION BY l.n) > l.most AS cut
	  FROM l
	  JOIN orders o ON (o.tenant, o.id) = (l.tenant, l.order_id) AND @owned(o, l)
)
SELECT s.n, o.number, o.state, o.payment_state, o.fulfillment_state, o.version, o.groups, o.currency, o.total_minor,
       o.customer, o.channel, o.reference, c.sealed, o.created_at, o.updated_at, o.expires_at,
       g.line, g.item, i.sku, i.title, g.unit_minor, g.ordered, g.unassigned, g.reserved, g.backordered, g.allocated,
       g.picked, g.packed, g.shipped, g.delivered, g.cancelled, g.returned, s.place, s.cut
  FROM s
  JOIN orders o ON (o.tenant, o.id) = (s.tenant, s.order_id)
  JOIN order_line g ON (g.tenant, g.order_id) = (o.tenant, o.id) AND (g.line = 1 OR NOT s.cut)
  JOIN item i ON (i.tenant, i.item) = (g.tenant, g.item)
  LEFT JOIN contact c ON (c.tenant, c.id) = (o.tenant, o.contact_id)
 ORDER BY s.n, s.place, g.line
