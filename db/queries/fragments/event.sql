-- event(rows): appends to the timeline.  `rows` is a CTE with the columns named below; seq must be orders.version
-- after the change that the same statement makes, one number per event.
event_rows AS (
	INSERT INTO order_event (tenant, order_id, seq, kind, from_state, to_state, group_no, detail, actor)
	SELECT tenant, order_id, seq, kind, from_state, to_state, group_no, detail, actor FROM $(1)
)
