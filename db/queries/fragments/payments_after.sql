-- payments_after(row, state): the payments of row's order once that of row's group has come to `state`.
-- none_open: no money is held, and none can become held.
LATERAL (
	SELECT @payment_state(s.state) AS payment_state,
	       bool_and(s.state = 'authorized') AS all_authorized,
	       bool_and(s.state IN ('voided', 'declined')) AS none_open
	FROM (SELECT CASE p.group_no WHEN $(1).group_no THEN $(2) ELSE p.state END AS state
	      FROM payment p WHERE (p.tenant, p.order_id) = ($(1).tenant, $(1).order_id)) s
)
