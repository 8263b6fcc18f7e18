-- What has happened to watched orders: for each line the events behind sequence `after`, at most `most`, and how the order
-- is now.  An order that has not moved answers nothing, so looking at many is cheap; `fresh` ones answer at least one row
-- (seq 0 when there is no event), so that no row means no order.  settled: no money is under way, so that behind the last
-- event of a final state no other will come.  Works across tenants: every line has its own.
-- unit: watch_events   lane: read   rank: 25
-- head: most int4
-- line: watch int4, tenant int4, order_id uuid, after int8, fresh bool, owner text?
-- answer: ordinal int8, watch int4, version int8, state text, payment_state text, fulfillment_state text, settled bool, seq int8, at timestamptz, kind text, from_state text?, to_state text, group_no int2, detail text?, actor text
WITH h AS MATERIALIZED (
	SELECT * FROM @head
), l AS MATERIALIZED (
	SELECT @of(most) AS most, l.* FROM @line
)
SELECT l.n, l.watch, o.version, o.state, o.payment_state, o.fulfillment_state,
       NOT EXISTS (SELECT FROM payment p
                    WHERE (p.tenant, p.order_id) = (o.tenant, o.id)
                      AND p.state IN ('pending', 'unknown', 'requires_action', 'authorized')),
       coalesce(e.seq, 0), coalesce(e.at, o.created_at), coalesce(e.kind, ''), e.from_state, coalesce(e.to_state, o.state),
       coalesce(e.group_no, 0::int2), e.detail, coalesce(e.actor, '')
  FROM l
  JOIN orders o ON (o.tenant, o.id) = (l.tenant, l.order_id) AND @owned(o, l) AND (o.version > l.after OR l.fresh)
  LEFT JOIN LATERAL (
	SELECT *
	  FROM order_event e
	 WHERE (e.tenant, e.order_id) = (l.tenant, l.order_id) AND e.seq > l.after
	 ORDER BY e.seq
	 LIMIT l.most
 ) e ON true
 ORDER BY l.n, l.watch, e.seq
