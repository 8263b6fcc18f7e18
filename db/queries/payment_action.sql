-- The customer must confirm the payment of one group with their bank: where, is kept, and the job comes back to look, at
-- the latest when the order expires.  Only the first time is an event, and no event tells where.
-- unit: payment_action   lane: job   rank: 35
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, attempt_id uuid, gateway_id text
-- head: action_url text, poll_ms int8
-- answer: ordinal int8, run_at timestamptz
WITH h AS MATERIALIZED (SELECT * FROM @head),
fact AS MATERIALIZED (
	SELECT h.*, a.state <> 'requires_action' AS first, x.state AS from_state, x.state AS to_state, x.fulfillment_state,
	       after.payment_state, x.version + 1 AS seq, x.version + 1 AS version,
	       'payment_action_required' AS kind, NULL AS detail, 'payment' AS actor,
	       CASE x.state WHEN 'pending' THEN
	            least(h.poll_ms, greatest(0, ceil(1000 * extract(epoch FROM x.expires_at - now()))::int8)) ELSE 0 END AS delay_ms
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
	 AND p.state IN ('pending', 'unknown', 'requires_action')
	JOIN payment_attempt a ON (a.tenant, a.id) = (h.tenant, h.attempt_id)
	 AND (a.order_id, a.group_no) = (h.order_id, h.group_no) AND a.state IN ('intent', 'unknown', 'requires_action')
	CROSS JOIN @payments_after(h, 'requires_action') after
),
@retry_job(fact, 0, NULL),
asked AS MATERIALIZED (SELECT * FROM retried WHERE first),
@order_step(asked),
@event(asked),
unsettled AS (
	UPDATE payment p SET state = 'requires_action'
	FROM asked w WHERE (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no)
),
attempted AS (
	UPDATE payment_attempt a SET state = 'requires_action', gateway_id = w.gateway_id, action_url = w.action_url,
	                             updated_at = now()
	FROM asked w WHERE (a.tenant, a.id) = (w.tenant, w.attempt_id)
)
SELECT n, now() + delay_ms * interval '1 ms' FROM retried ORDER BY n
