-- The timeline of an order behind sequence `after`, at most `most` events.
-- unit: order_events   lane: read   rank: 23
-- head: tenant int4, order_id uuid, after int8, most int4
-- answer: ordinal int8, seq int8, at timestamptz, kind text, from_state text?, to_state text, group_no int2, detail text?, actor text
SELECT h.n, e.seq, e.at, e.kind, e.from_state, e.to_state, e.group_no, e.detail, e.actor
  FROM @head
 CROSS JOIN LATERAL (
	SELECT *
	  FROM order_event e
	 WHERE (e.tenant, e.order_id) = (h.tenant, h.order_id) AND e.seq > h.after
	 ORDER BY e.seq
	 LIMIT h.most
 ) e
 ORDER BY h.n, e.seq
