-- The gateway holds the money of one group.  The last group of a pending order confirms it: reserved becomes
-- allocated, and every group's pick is queued.  In a confirmed order the money is held anew (reauthorized), or first
-- held for a group that was sourced later: that group's goods go to work, or its capture, which waits, is due at once.
-- For an order that has ended otherwise the void is queued by this same unit.  A row per job to ring, or one without.
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
	SELECT h.*, o.outcome, x.state AS from_state, after.payment_state,
	       CASE a.method_token WHEN '' THEN p.amount_minor ELSE a.amount_minor END AS amount_minor,
	       CASE o.outcome WHEN 'confirmed' THEN 'confirmed' ELSE x.state END AS to_state,
	       CASE o.outcome WHEN 'confirmed' THEN 'allocated' ELSE x.fulfillment_state END AS fulfillment_state,
	       x.version + 1 AS seq, x.version + CASE o.outcome WHEN 'confirmed' THEN 2 ELSE 1 END AS version
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
	 AND p.state IN ('pending', 'unknown', 'requires_action')
	JOIN payment_attempt a ON (a.tenant, a.id) = (h.tenant, h.attempt_id)
	 AND (a.order_id, a.group_no) = (h.order_id, h.group_no) AND a.state IN ('intent', 'unknown', 'requires_action')
	CROSS JOIN @payments_after(h, 'authorized') after
	CROSS JOIN LATERAL (SELECT CASE WHEN x.state = 'confirmed' THEN 'reauthorized' WHEN x.state <> 'pending' THEN 'void'
	                                WHEN after.all_authorized THEN 'confirmed' ELSE 'authorized' END AS outcome) o
),
@settle_job(fact),
@order_step(settled),
paid AS (
	UPDATE payment p SET state = 'authorized', authorized_minor = w.amount_minor,
	                     authorized_until = w.authorized_until
	FROM settled w WHERE (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no)
),
attempted AS (
	UPDATE payment_attempt a SET state = 'authorized', gateway_id = w.gateway_id, action_url = NULL, updated_at = now()
	FROM settled w WHERE (a.tenant, a.id) = (w.tenant, w.attempt_id)
),
transacted AS (
	INSERT INTO payment_transaction (tenant, attempt_id, kind, order_id, group_no, amount_minor, gateway_ref)
	SELECT tenant, attempt_id, 'authorize', order_id, group_no, amount_minor, gateway_id FROM settled
),
shares AS MATERIALIZED (
	SELECT w.tenant, w.job_id AS cause, w.order_id, r.line, r.item, r.location, r.group_no, r.qty
	FROM settled w JOIN reservation r ON (r.tenant, r.order_id) = (w.tenant, w.order_id) AND r.state = 'held'
	WHERE w.outcome = 'confirmed' OR (w.outcome = 'reauthorized' AND r.group_no = w.group_no)
),
@move_units(shares, reserved, allocated),
committed AS (
	UPDATE reservation r SET state = 'committed' FROM shares s
	WHERE (r.tenant, r.order_id, r.line, r.group_no) = (s.tenant, s.order_id, s.line, s.group_no)
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
renewed AS MATERIALIZED (SELECT * FROM settled WHERE outcome = 'reauthorized'),
@hold_release(renewed, payment),
candidates AS MATERIALIZED ( -- FULL: an inner join of two CTEs runs as a nested loop, n squared
	SELECT w.n, w.tenant, w.order_id, w.outcome, w.version, w.group_no AS own, l.group_no, l.job_id
	FROM settled w FULL JOIN l ON l.n = w.n
),
released AS MATERIALIZED (
	SELECT n, outcome, version, tenant, order_id, group_no, job_id AS next_job, 'fulfillment.pick' AS next_kind
	FROM candidates c
	WHERE outcome = 'confirmed'
	   OR (outcome = 'reauthorized' AND group_no = own
	       AND ((tenant, order_id, group_no) IN (SELECT tenant, order_id, group_no FROM shares)) IS TRUE)
),
@fulfillment_begin(released),
voiding AS MATERIALIZED (
	SELECT n, outcome, version, tenant, order_id, group_no, void_job AS next_job, 'payment.void' AS next_kind,
	       0 AS priority, now() AS run_at
	FROM settled WHERE outcome = 'void'
),
@next_job(voiding, NULL),
captures AS MATERIALIZED ( -- what somebody is at this moment claiming needs no waking
	SELECT w.n, w.outcome, w.version, j.id AS next_job, j.kind AS next_kind
	FROM renewed w JOIN job j ON (j.tenant, j.order_id) = (w.tenant, w.order_id) AND j.group_no = w.group_no
	 AND j.kind = 'payment.capture' AND j.state <> 'done' AND j.lease_until IS NULL AND j.run_at > now()
	FOR UPDATE OF j SKIP LOCKED
),
woken AS (
	UPDATE job j SET run_at = now() FROM captures w WHERE j.id = w.next_job AND j.lease_until IS NULL
)
SELECT n, outcome, version, next_job, next_kind FROM released
UNION ALL
SELECT n, outcome, version, next_job, next_kind FROM voiding
UNION ALL
SELECT n, outcome, version, next_job, next_kind FROM captures
UNION ALL
SELECT n, outcome, version, NULL, NULL FROM settled WHERE outcome IN ('authorized', 'reauthorized')
ORDER BY n
