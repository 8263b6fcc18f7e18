-- Every movement of one group's money, in order.
-- unit: payment_transactions   lane: read   rank: 49
-- head: tenant int4, order_id uuid, group_no int2
-- answer: ordinal int8, attempt_id uuid, kind text, amount_minor int8, gateway_ref text, at timestamptz
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, t.attempt_id, t.kind, t.amount_minor, t.gateway_ref, t.at
FROM h JOIN payment_transaction t ON (t.tenant, t.order_id) = (h.tenant, h.order_id) AND t.group_no = h.group_no
ORDER BY h.n, t.at, t.kind
