-- silent_event(rows): appends to the timeline, and tells nobody: for kinds of which mail_template() has no word, as the
-- parts of @event that would find nothing to do cost as much as an insert.  `rows` as there.
event_rows AS (
	INSERT INTO order_event (tenant, order_id, seq, kind, from_state, to_state, group_no, detail, actor)
	SELECT tenant, order_id, seq, kind, from_state, to_state, group_no, detail, actor FROM $(1)
)
