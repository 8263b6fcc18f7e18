-- Where an order stands, for those who poll.
-- unit: order_status   lane: read   rank: 21
-- head: tenant int4, order_id uuid, owner text?
-- answer: ordinal int8, number int8, state text, payment_state text, fulfillment_state text, version int8, updated_at timestamptz
SELECT h.n, o.number, o.state, o.payment_state, o.fulfillment_state, o.version, o.updated_at
  FROM @head
  JOIN orders o ON (o.tenant, o.id) = (h.tenant, h.order_id) AND @owned(o, h)
 ORDER BY h.n
