-- Nobody knows whether the gateway took the money: the attempt stays live and the job comes back to find out.
-- Only the first time is an event.
-- unit: payment_unknown   lane: job   rank: 32
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, attempt_id uuid, delay_ms int8, error text
-- answer: ordinal int8, run_at timestamptz
WITH h AS MATERIALIZED (SELECT * FROM @head),
fact AS MATERIALIZED (
	SELECT h.*, a.state = 'intent' AS first, x.state AS from_state, x.state AS to_state, x.fulfillment_state,
	       after.payment_state, x.version + 1 AS seq, x.version + 1 AS version,
	       'payment_unknown' AS kind, h.error AS detail, 'payment' AS actor
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
	JOIN payment_attempt a ON (a.tenant, a.id) = (h.tenant, h.attempt_id)
	 AND (a.order_id, a.group_no) = (h.order_id, h.group_no) AND a.state IN ('intent', 'unknown', 'requires_action')
	CROSS JOIN @payments_after(h, 'unknown') after
),
@retry_job(fact, j.attempts, h.error),
doubted AS MATERIALIZED (SELECT * FROM retried WHERE first),
@order_step(doubted),
@event(doubted),
unsure AS (
	UPDATE payment p SET state = 'unknown'
	FROM doubted w WHERE (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no) AND p.state = 'pending'
),
attempted AS (
	UPDATE payment_attempt a SET state = 'unknown', updated_at = now()
	FROM doubted w WHERE (a.tenant, a.id) = (w.tenant, w.attempt_id)
)
SELECT n, now() + delay_ms * interval '1 ms' FROM retried ORDER BY n
