-- order_step(rows): each order of `rows` gets its version, to_state, payment_state and fulfillment_state.
-- The batch has locked the orders, so `rows` may count the version up from what it read.
stepped AS (
	UPDATE orders x SET version = w.version, state = w.to_state, payment_state = w.payment_state,
	                    fulfillment_state = w.fulfillment_state, updated_at = now()
	FROM $(1) w WHERE (x.tenant, x.id) = (w.tenant, w.order_id)
)
