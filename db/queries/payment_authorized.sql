-- The gateway holds the money of one group.  The last group of a pending order confirms it: reserved becomes
-- allocated, and every group's pick is queued.  For an order that is no longer pending the void is queued by this
-- same unit.  A row per queued job; one without a job when other groups are still to be paid.
-- A detail row is the candidate for one group's pick job.
-- unit: payment_authorized   lane: order   rank: 30
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, attempt_id uuid, gateway_id text
-- head: authorized_until timestamptz?, void_job uuid
-- line: group_no int2, job_id uuid
-- answer: ordinal int8, outcome text, version int8, job_id uuid?, kind text?
-- stock: job_id
WITH h AS MATERIALIZED (SELECT * FROM @head),
l AS MATERIALIZED (SELECT * FROM @line),
fact AS MATERIALIZED (
	SELECT h.*, o.outcome, x.state AS from_state, p.amount_minor, after.payment_state,
	       CASE o.outcome WHEN 'confirmed' THEN 'confirmed' ELSE x.state END AS to_state,
	       CASE o.outcome WHEN 'confirmed' THEN 'allocated' ELSE x.fulfillment_state END AS fulfillment_state,
	       x.version + 1 AS seq, x.version + CASE o.outcome WHEN 'confirmed' THEN 2 ELSE 1 END AS version
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
	 AND p.state IN ('pending', 'unknown')
	JOIN payment_attempt a ON (a.tenant, a.id) = (h.tenant, h.attempt_id)
	 AND (a.order_id, a.group_no) = (h.order_id, h.group_no) AND a.state IN ('intent', 'unknown', 'requires_action')
	CROSS JOIN @payments_after(h, 'authorized') after
	CROSS JOIN LATERAL (SELECT CASE WHEN x.state <> 'pending' THEN 'void' WHEN after.all_authorized THEN 'confirmed'
	                                ELSE 'authorized' END AS outcome) o
),
@settle_job(fact),
@order_step(settled),
paid AS (
	UPDATE payment p SET state = 'authorized', authorized_minor = p.amount_minor,
	                     authorized_until = w.authorized_until
	FROM settled w WHERE (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no)
),
attempted AS (
	UPDATE payment_attempt a SET state = 'authorized', gateway_id = w.gateway_id, updated_at = now()
	FROM settled w WHERE (a.tenant, a.id) = (w.tenant, w.attempt_id)
),
transacted AS (
	INSERT INTO payment_transaction (tenant, attempt_id, kind, order_id, group_no, amount_minor, gateway_ref)
	SELECT tenant, attempt_id, 'authorize', order_id, group_no, amount_minor, gateway_id FROM settled
),
shares AS MATERIALIZED (
	SELECT w.tenant, w.job_id AS cause, w.order_id, r.line, r.item, r.location, r.qty
	FROM settled w JOIN reservation r ON (r.tenant, r.order_id) = (w.tenant, w.order_id) AND r.state = 'held'
	WHERE w.outcome = 'confirmed'
),
@move_units(shares, reserved, allocated),
committed AS (
	UPDATE reservation r SET state = 'committed' FROM shares s
	WHERE (r.tenant, r.order_id, r.line, r.location) = (s.tenant, s.order_id, s.line, s.location)
),
told AS (
	SELECT tenant, order_id, seq, 'payment_authorized' AS kind, from_state, from_state AS to_state, group_no,
	       NULL AS detail, 'payment' AS actor
	FROM settled
	UNION ALL
	SELECT tenant, order_id, version, 'confirmed', from_state, to_state, 0, NULL, 'payment'
	FROM settled WHERE outcome = 'confirmed'
),
@event(told),
candidates AS MATERIALIZED ( -- FULL: an inner join of two CTEs runs as a nested loop, n squared
	SELECT w.n, w.tenant, w.order_id, w.outcome, w.version, l.group_no, l.job_id FROM settled w FULL JOIN l ON l.n = w.n
),
released AS MATERIALIZED (
	SELECT n, outcome, version, tenant, order_id, group_no, job_id AS next_job, 'fulfillment.pick' AS next_kind
	FROM candidates WHERE outcome = 'confirmed'
),
@fulfillment_begin(released),
voiding AS MATERIALIZED (
	SELECT n, outcome, version, tenant, order_id, group_no, void_job AS next_job, 'payment.void' AS next_kind,
	       0 AS priority, now() AS run_at
	FROM settled WHERE outcome = 'void'
),
@next_job(voiding)
SELECT n, outcome, version, next_job, next_kind FROM released
UNION ALL
SELECT n, outcome, version, next_job, next_kind FROM voiding
UNION ALL
SELECT n, outcome, version, NULL, NULL FROM settled WHERE outcome = 'authorized'
ORDER BY n
