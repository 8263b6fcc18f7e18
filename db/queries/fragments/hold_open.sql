-- hold_open(rows): the orders of `rows` (tenant, order_id, group_no, reason, detail) are held; one that is held for this
-- reason already stays so.
holds_opened AS (
	INSERT INTO order_hold (tenant, order_id, group_no, reason, detail)
	SELECT tenant, order_id, group_no, reason, detail FROM $(1)
	    ON CONFLICT (tenant, order_id, group_no, reason) DO UPDATE SET
		detail = excluded.detail, released_at = NULL,
		opened_at = CASE WHEN order_hold.released_at IS NULL THEN order_hold.opened_at ELSE excluded.opened_at END
)
