-- No carrier offers what the order asks for: the group is held for a person to see, and its label job comes back in
-- delay_ms with its attempts forgotten, for offers change.  Told once, however often it is tried.
-- No row: the claim is stale, or the label is bought already.
-- unit: label_held   lane: job   rank: 44
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, why text, delay_ms int8
-- answer: ordinal int8, version int8
WITH h AS MATERIALIZED (SELECT * FROM @head),
fact AS MATERIALIZED (
	SELECT h.*, held.known, x.state AS from_state, x.state AS to_state, x.payment_state, x.fulfillment_state,
	       x.version + 1 AS seq, x.version + (NOT held.known)::int AS version,
	       'shipping_held' AS kind, h.why AS detail, 'shipping' AS actor, 'shipping' AS reason
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (h.tenant, h.order_id, h.group_no)
	 AND s.state IN ('planned', 'label_intent')
	CROSS JOIN LATERAL (
		SELECT EXISTS (SELECT FROM order_hold d
		                WHERE (d.tenant, d.order_id, d.group_no, d.reason) = (h.tenant, h.order_id, h.group_no, 'shipping')
		                  AND d.released_at IS NULL) AS known) held
),
@retry_job(fact, 0, h.why),
@hold_open(retried),
news AS MATERIALIZED (SELECT * FROM retried WHERE NOT known),
@order_step(news),
@event(news)
SELECT n, version FROM retried ORDER BY n
