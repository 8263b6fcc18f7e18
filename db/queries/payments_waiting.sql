-- Payments in a state that somebody has to see to, the oldest orders first.
-- unit: payments_waiting   lane: read   rank: 47
-- head: tenant int4, state text, after_order uuid, after_group int2, most int4
-- answer: ordinal int8, order_id uuid, group_no int2, state text, amount_minor int8, authorized_minor int8, captured_minor int8
-- answer: currency text, method_token text, authorized_until timestamptz?, decline_code text?, action_url text?
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, @payment_columns(p)
FROM h CROSS JOIN LATERAL (
	SELECT * FROM payment d
	WHERE d.tenant = h.tenant AND d.state = h.state AND d.state IN ('unknown', 'requires_action', 'declined')
	  AND (d.order_id, d.group_no) > (h.after_order, h.after_group)
	ORDER BY d.order_id, d.group_no LIMIT h.most) p
ORDER BY h.n, p.order_id, p.group_no
