-- Before the gateway is called: the attempt to pay, whose id is the remote idempotency key, is a row.
-- A live attempt is taken up again rather than doubled, even if the order no longer wants it: money may be held
-- under it.  Method and amount are the attempt's own, so that the gateway is asked the same under the same key.
-- moot: there is nothing to pay any more.  No row: the claim is stale.
-- present: the customer is still there to confirm it; once the goods are at work, nobody is.  over: the order does not
-- wait for them any longer.  forgotten: it was begun so long ago (23 hours; gateways promise 24) that the gateway may no
-- longer know its key, and we have no other name for it: asked again, it might charge twice.
-- unit: payment_begin   lane: job   rank: 30
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, attempt_id uuid
-- answer: ordinal int8, outcome text, attempt_id uuid?, attempt_state text?, gateway_id text?
-- answer: amount_minor int8, currency text, method_token text, order_state text, present bool, over bool, forgotten bool
WITH h AS MATERIALIZED (SELECT * FROM @head),
@hold_job(h),
fact AS MATERIALIZED (
	SELECT w.*, x.state AS order_state, p.currency, a.id AS last_id, a.state AS last_state, a.gateway_id,
	       coalesce(a.n, 0) AS last_n, o.outcome,
	       -- an attempt begun before attempts kept them has the payment's
	       CASE WHEN o.outcome = 'resume' AND a.method_token <> '' THEN a.amount_minor ELSE p.amount_minor END AS amount_minor,
	       CASE WHEN o.outcome = 'resume' AND a.method_token <> '' THEN a.method_token ELSE p.method_token END AS method_token,
	       NOT EXISTS (SELECT FROM fulfillment_order f WHERE (f.tenant, f.order_id) = (w.tenant, w.order_id)) AS present,
	       x.state <> 'pending' OR x.expires_at <= now() AS over,
	       o.outcome = 'resume' AND coalesce(a.gateway_id, '') = '' AND a.created_at < now() - interval '23 hours' AS forgotten
	FROM held w
	JOIN orders x ON (x.tenant, x.id) = (w.tenant, w.order_id)
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no)
	LEFT JOIN LATERAL (
		SELECT t.id, t.state, t.gateway_id, t.n, t.amount_minor, t.method_token, t.created_at FROM payment_attempt t
		WHERE (t.tenant, t.order_id, t.group_no) = (w.tenant, w.order_id, w.group_no)
		ORDER BY t.n DESC LIMIT 1) a ON true
	CROSS JOIN LATERAL (
		SELECT CASE WHEN a.state IN ('intent', 'unknown', 'requires_action') THEN 'resume'
		            WHEN x.state IN ('pending', 'confirmed') AND p.state IN ('pending', 'unknown') THEN 'begun'
		            ELSE 'moot' END AS outcome) o
),
begun AS (
	INSERT INTO payment_attempt (tenant, id, order_id, group_no, n, state, method_token, amount_minor)
	SELECT tenant, attempt_id, order_id, group_no, last_n + 1, 'intent', method_token, amount_minor
	FROM fact WHERE outcome = 'begun'
)
SELECT n, outcome,
       CASE outcome WHEN 'begun' THEN attempt_id WHEN 'resume' THEN last_id END,
       CASE outcome WHEN 'begun' THEN 'intent' WHEN 'resume' THEN last_state END,
       CASE outcome WHEN 'resume' THEN gateway_id END,
       amount_minor, currency, method_token, order_state, present, over, forgotten
FROM fact ORDER BY n
