-- The payment of one group and its last attempt, which is the live one if any is.
-- unit: payment_find   lane: read   rank: 43
-- head: tenant int4, order_id uuid, group_no int2
-- answer: ordinal int8, attempt_id uuid?, attempt_state text?, gateway_id text?, payment_state text
-- answer: amount_minor int8, authorized_minor int8, captured_minor int8, authorized_until timestamptz?, currency text, order_state text
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, a.id, a.state, a.gateway_id, p.state, p.amount_minor, p.authorized_minor, p.captured_minor,
       p.authorized_until, p.currency, x.state
FROM h
JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
LEFT JOIN LATERAL (
	SELECT t.id, t.state, t.gateway_id FROM payment_attempt t
	WHERE (t.tenant, t.order_id, t.group_no) = (h.tenant, h.order_id, h.group_no)
	ORDER BY t.n DESC LIMIT 1) a ON true
ORDER BY h.n
