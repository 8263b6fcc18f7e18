-- A declined payment gets another method and is tried again: that of one group, or (group_no 0) every declined one.
-- Refusals, in this order: seen (request_id), not_found, expired (the order's time is over), not_declined.
-- A row per job to ring.  fallback_methods are separated by newlines.
-- unit: payment_retry   lane: order   rank: 22
-- keys: id(order_id), request(tenant, request_method, request_key)
-- locks: orders
-- head: tenant int4, order_id uuid, request_method int2, request_key text, fingerprint bytea, group_no int2
-- head: method_token text, fallback_methods text, actor text, trace bytea?
-- answer: ordinal int8, outcome text, job_id uuid?
WITH h AS MATERIALIZED (SELECT * FROM @head),
seen AS MATERIALIZED (
	SELECT h.n FROM h JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
),
asked AS (
	SELECT h.*, x.state, x.version AS version_now, x.fulfillment_state, x.expires_at, s.declined, s.payment_state
	FROM h
	LEFT JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	CROSS JOIN LATERAL (
		SELECT bool_or(d.declined) AS declined, @payment_state(CASE WHEN d.declined THEN 'pending' ELSE d.state END) AS payment_state
		FROM (SELECT p.state, p.state = 'declined' AND h.group_no IN (0, p.group_no) AS declined
		      FROM payment p WHERE (p.tenant, p.order_id) = (h.tenant, h.order_id)) d) s
),
judged AS MATERIALIZED (
	SELECT *, CASE WHEN n IN (SELECT n FROM seen) THEN 'seen'
	               WHEN state IS NULL THEN 'not_found'
	               WHEN state = 'expired' OR (state = 'pending' AND expires_at <= now()) THEN 'expired'
	               WHEN state NOT IN ('pending', 'confirmed') OR declined IS NOT TRUE THEN 'not_declined'
	               ELSE 'retried' END AS outcome
	FROM asked
),
request_rows AS (
	INSERT INTO request (tenant, method, key, fingerprint, resource)
	SELECT tenant, request_method, request_key, fingerprint, order_id FROM judged WHERE outcome = 'retried'
	ORDER BY tenant, request_method, request_key
	ON CONFLICT DO NOTHING
	RETURNING resource
),
w AS MATERIALIZED (
	SELECT *, state AS from_state, state AS to_state, version_now + 1 AS seq, version_now + 1 AS version,
	       'payment_retried' AS kind, NULL AS detail
	FROM judged WHERE outcome = 'retried' AND (order_id IN (SELECT resource FROM request_rows)) IS TRUE
),
@order_step(w),
@event(w),
tried AS (
	UPDATE payment p SET state = 'pending', method_token = w.method_token,
	       fallback_methods = coalesce(string_to_array(nullif(w.fallback_methods, ''), E'\n'), '{}')
	FROM w WHERE (p.tenant, p.order_id) = (w.tenant, w.order_id) AND p.state = 'declined' AND w.group_no IN (0, p.group_no)
	RETURNING w.n, p.tenant, p.order_id, p.group_no, w.trace
),
jobs AS MATERIALIZED (
	SELECT *, child_id(order_id) AS next_job, 'payment.authorize' AS next_kind, 1 AS priority, now() AS run_at FROM tried
),
@next_job(jobs, trace)
SELECT n, 'retried' AS outcome, next_job FROM jobs
UNION ALL
SELECT n, CASE outcome WHEN 'retried' THEN 'seen' ELSE outcome END, NULL FROM judged WHERE (n IN (SELECT n FROM w)) IS NOT TRUE
ORDER BY 1
