-- The gateway has taken the money of one group; its parcel may go, at a manual location when somebody confirms that it
-- does.  More than was authorized is refused by the constraint payment_capped.  No row: the claim is stale, or nothing
-- is authorized under this attempt.
-- unit: payment_captured   lane: job   rank: 33
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, attempt_id uuid, gateway_ref text
-- head: amount_minor int8, next_job uuid
-- answer: ordinal int8, version int8, job_id uuid, kind text
WITH h AS MATERIALIZED (SELECT * FROM @head),
fact AS MATERIALIZED (
	SELECT h.*, x.state AS from_state, x.state AS to_state, x.fulfillment_state, after.payment_state,
	       x.version + 1 AS seq, x.version + 1 AS version, 'payment_captured' AS kind, NULL AS detail, 'payment' AS actor,
	       'shipping.handover' AS next_kind, 1 AS priority, now() AS run_at,
	       CASE f.fulfillment WHEN 'manual' THEN 'parked' ELSE 'ready' END AS next_state
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
	 AND p.state = 'authorized'
	JOIN location f ON (f.tenant, f.location) = (p.tenant, p.location)
	JOIN payment_attempt a ON (a.tenant, a.id) = (h.tenant, h.attempt_id)
	 AND (a.order_id, a.group_no) = (h.order_id, h.group_no) AND a.state = 'authorized'
	CROSS JOIN @payments_after(h, 'captured') after
),
@settle_job(fact),
@order_step(settled),
@event(settled),
@next_job_in(settled),
paid AS (
	UPDATE payment p SET state = 'captured', captured_minor = w.amount_minor, authorized_until = NULL
	FROM settled w WHERE (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no)
),
attempted AS (
	UPDATE payment_attempt a SET state = 'captured', updated_at = now()
	FROM settled w WHERE (a.tenant, a.id) = (w.tenant, w.attempt_id)
),
transacted AS (
	INSERT INTO payment_transaction (tenant, attempt_id, kind, order_id, group_no, amount_minor, gateway_ref)
	SELECT tenant, attempt_id, 'capture', order_id, group_no, amount_minor, gateway_ref FROM settled
)
SELECT n, version, next_job, next_kind FROM settled ORDER BY n
