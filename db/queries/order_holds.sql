-- What holds an order at this moment.
-- unit: order_holds   lane: read   rank: 29
-- head: tenant int4, order_id uuid
-- answer: ordinal int8, group_no int2, reason text, detail text, opened_at timestamptz, released_at timestamptz?
SELECT h.n, d.group_no, d.reason, d.detail, d.opened_at, d.released_at
  FROM @head
  JOIN order_hold d ON (d.tenant, d.order_id) = (h.tenant, h.order_id) AND d.released_at IS NULL
 ORDER BY h.n, d.group_no, d.reason
