-- Every try to pay one group, in order.
-- unit: payment_attempts   lane: read   rank: 48
-- head: tenant int4, order_id uuid, group_no int2
-- answer: ordinal int8, attempt_id uuid, number int2, state text, gateway_id text?, decline_code text?
-- answer: method_token text, amount_minor int8, created_at timestamptz, updated_at timestamptz
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, a.id, a.n, a.state, a.gateway_id, a.decline_code, a.method_token, a.amount_minor, a.created_at, a.updated_at
FROM h JOIN payment_attempt a ON (a.tenant, a.order_id, a.group_no) = (h.tenant, h.order_id, h.group_no)
ORDER BY h.n, a.n
