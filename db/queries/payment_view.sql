-- The payments of one order after a group, in a state if one is named.
-- unit: payment_view   lane: read   rank: 46
-- head: tenant int4, order_id uuid, state text?, after_group int2, most int4, owner text?
-- answer: ordinal int8, order_id uuid, group_no int2, state text, amount_minor int8, authorized_minor int8, captured_minor int8
-- answer: currency text, method_token text, authorized_until timestamptz?, decline_code text?, action_url text?
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, @payment_columns(p)
FROM h
JOIN orders o ON (o.tenant, o.id) = (h.tenant, h.order_id) AND @owned(o, h)
CROSS JOIN LATERAL (
	SELECT * FROM payment d
	WHERE (d.tenant, d.order_id) = (o.tenant, o.id) AND d.group_no > h.after_group AND (h.state IS NULL OR d.state = h.state)
	ORDER BY d.group_no LIMIT h.most) p
ORDER BY h.n, p.group_no
