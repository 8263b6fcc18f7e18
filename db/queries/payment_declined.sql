-- The gateway refused the money of one group.
-- fallback: the payment has another method, and an order that still wants it: the job comes back at once to try it.
-- waiting: a pending order that waits for another method, until it expires.  held: so does a confirmed one, for ever.
-- rejected: a pending order that does not wait: its stock is freed, the money held for its other groups is voided (a
-- detail row is the candidate for one group's void job).  recorded: an order on its way out; it is cancelled when no
-- money is held any more.  A row per job to ring, or one without a job.
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
	SELECT h.*, h.job_id AS cause, o.outcome, x.state AS from_state, s.to_state, after.payment_state, 0 AS delay_ms,
	       CASE o.outcome WHEN 'rejected' THEN 'cancelled' ELSE x.fulfillment_state END AS fulfillment_state,
	       x.version + 1 AS seq, x.version + CASE s.to_state WHEN x.state THEN 1 ELSE 2 END AS version
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (h.tenant, h.order_id, h.group_no)
	 AND p.state IN ('pending', 'unknown', 'requires_action')
	JOIN payment_attempt a ON (a.tenant, a.id) = (h.tenant, h.attempt_id)
	 AND (a.order_id, a.group_no) = (h.order_id, h.group_no) AND a.state IN ('intent', 'unknown', 'requires_action')
	CROSS JOIN LATERAL (SELECT CASE WHEN cardinality(p.fallback_methods) > 0 AND (x.state = 'confirmed'
	                                     OR (x.state = 'pending' AND x.expires_at > now())) THEN 'fallback'
	                                WHEN x.state = 'confirmed' THEN 'held' WHEN x.state <> 'pending' THEN 'recorded'
	                                WHEN x.wait_for_payment THEN 'waiting' ELSE 'rejected' END AS outcome) o
	CROSS JOIN @payments_after(h, CASE o.outcome WHEN 'fallback' THEN 'pending' ELSE 'declined' END) after
	CROSS JOIN LATERAL (SELECT CASE WHEN o.outcome = 'rejected' THEN 'rejected'
	                                WHEN x.state = 'cancelling' AND after.none_open THEN 'cancelled'
	                                ELSE x.state END AS to_state) s
),
last_word AS MATERIALIZED (SELECT * FROM fact WHERE outcome <> 'fallback'),
another AS MATERIALIZED (SELECT * FROM fact WHERE outcome = 'fallback'),
@settle_job(last_word),
@retry_job(another, 0, h.decline_code),
ruled AS MATERIALIZED (SELECT * FROM settled UNION ALL SELECT * FROM retried),
@order_step(ruled),
refused AS (
	UPDATE payment p SET state = 'declined'
	FROM settled w WHERE (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no)
),
turned AS (
	UPDATE payment p SET state = 'pending', method_token = p.fallback_methods[1], fallback_methods = p.fallback_methods[2:]
	FROM retried w WHERE (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no)
),
attempted AS (
	UPDATE payment_attempt a SET state = 'declined', decline_code = w.decline_code, action_url = NULL, updated_at = now(),
	                             gateway_id = coalesce(w.gateway_id, a.gateway_id)
	FROM ruled w WHERE (a.tenant, a.id) = (w.tenant, w.attempt_id)
),
rejected AS MATERIALIZED (SELECT * FROM settled WHERE outcome = 'rejected'),
@release(rejected),
@drop_payments(rejected, NULL),
unpaid AS (
	SELECT tenant, order_id, group_no, 'payment' AS reason, decline_code AS detail FROM settled WHERE outcome = 'held'
),
@hold_open(unpaid),
told AS (
	SELECT tenant, order_id, seq, 'payment_declined' AS kind, from_state, from_state AS to_state, group_no,
	       decline_code AS detail, 'payment' AS actor
	FROM ruled
	UNION ALL
	SELECT tenant, order_id, version, to_state, from_state, to_state, 0, NULL, 'payment'
	FROM ruled WHERE to_state <> from_state
),
@event(told),
ringing AS MATERIALIZED ( -- FULL: an inner join of two CTEs runs as a nested loop, n squared
	SELECT w.n, w.outcome, w.version, CASE outcome WHEN 'fallback' THEN w.job_id ELSE v.job_id END AS job_id
	FROM ruled w FULL JOIN void_jobs v ON v.n = w.n
)
SELECT n, outcome, version, job_id,
       CASE WHEN outcome = 'fallback' THEN 'payment.authorize' WHEN job_id IS NOT NULL THEN 'payment.void' END
FROM ringing ORDER BY n
