-- The gateway refused the money of one group.  A pending order is rejected: its stock is freed, the money held for its
-- other groups is voided (a detail row is the candidate for one group's void job).  An order on its way out only
-- records it, and is cancelled when no money is held any more.  A row per queued job, or one without a job.
-- unit: payment_declined   lane: order   rank: 31
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, attempt_id uuid, gateway_id text?
-- head: decline_code text
-- line: group_no int2, job_id uuid
-- answer: ordinal int8, outcome text, version int8, job_id uuid?, kind text?
-- stock: job_id
WITH h AS MATERIALIZED (SELECT * FROM @head),
l AS MATERIALIZED (SELECT * FROM @line),
fact AS MATERIALIZED (
	SELECT h.*, h.job_id AS cause, CASE x.state WHEN 'pending' THEN 'rejected' ELSE 'recorded' END AS outcome,
	       x.state AS from_state, s.to_state, after.payment_state,
	       CASE x.state WHEN 'pending' THEN 'cancelled' ELSE x.fulfillment_state END AS fulfillment_state,
	       x.version + 1 AS seq, x.version + CASE s.to_state WHEN x.state THEN 1 ELSE 2 END AS version
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
	 AND p.state IN ('pending', 'unknown')
	JOIN payment_attempt a ON (a.tenant, a.id) = (h.tenant, h.attempt_id)
	 AND (a.order_id, a.group_no) = (h.order_id, h.group_no) AND a.state IN ('intent', 'unknown', 'requires_action')
	CROSS JOIN @payments_after(h, 'declined') after
	CROSS JOIN LATERAL (SELECT CASE WHEN x.state = 'pending' THEN 'rejected'
	                                WHEN x.state = 'cancelling' AND after.none_open THEN 'cancelled'
	                                ELSE x.state END AS to_state) s
),
@settle_job(fact),
@order_step(settled),
refused AS (
	UPDATE payment p SET state = 'declined'
	FROM settled w WHERE (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no)
),
attempted AS (
	UPDATE payment_attempt a SET state = 'declined', decline_code = w.decline_code, updated_at = now(),
	                             gateway_id = coalesce(w.gateway_id, a.gateway_id)
	FROM settled w WHERE (a.tenant, a.id) = (w.tenant, w.attempt_id)
),
rejected AS MATERIALIZED (SELECT * FROM settled WHERE outcome = 'rejected'),
@release(rejected),
@drop_payments(rejected),
told AS (
	SELECT tenant, order_id, seq, 'payment_declined' AS kind, from_state, from_state AS to_state, group_no,
	       decline_code AS detail, 'payment' AS actor
	FROM settled
	UNION ALL
	SELECT tenant, order_id, version, to_state, from_state, to_state, 0, NULL, 'payment'
	FROM settled WHERE to_state <> from_state
),
@event(told),
ringing AS MATERIALIZED ( -- FULL: an inner join of two CTEs runs as a nested loop, n squared
	SELECT w.n, w.outcome, w.version, v.job_id FROM settled w FULL JOIN void_jobs v ON v.n = w.n
)
SELECT n, outcome, version, job_id, CASE WHEN job_id IS NOT NULL THEN 'payment.void' END FROM ringing ORDER BY n
