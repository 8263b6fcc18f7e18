-- hold_release(rows, reason): what held the orders of `rows` (tenant, order_id, group_no) for this reason is over.
holds_released AS (
	UPDATE order_hold d SET released_at = now()
	FROM $(1) w
	WHERE (d.tenant, d.order_id, d.group_no, d.reason) = (w.tenant, w.order_id, w.group_no, '$(2)') AND d.released_at IS NULL
)
