-- event(rows): an event per row: seq, event (its kind), from_state, to_state, group_no, detail, actor.
events AS (
	INSERT INTO order_event (tenant, order_id, seq, kind, from_state, to_state, group_no, detail, actor)
	SELECT tenant, order_id, seq, event, from_state, to_state, group_no, detail, actor FROM $(1)
)
