-- Somebody gives up a job that waits for a worker, or that its worker has let lie.  It is dead, and holds its order, so that
-- it is not the only thing that would have moved it and just gone.  A mail's job is done: its customer is not told.
-- Refusals, in this order: seen (request_key), not_found, over (done, dead, or waits for a person), running, doubt (it is to
-- find out what became of money: an attempt is under way, or money is to be taken or let go and it was tried).
-- unit: job_cancel   lane: order   rank: 56
-- keys: id(order_id), request(tenant, request_method, request_key)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, job_id uuid, request_method int2, request_key text, fingerprint bytea
-- head: action_id uuid, reason text, actor text
-- answer: ordinal int8, outcome text
WITH h AS MATERIALIZED (SELECT * FROM @head),
seen AS MATERIALIZED (
	SELECT h.n FROM h JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
),
asked AS (
	SELECT h.n, h.tenant, h.order_id, h.job_id, h.request_method, h.request_key, h.fingerprint, h.action_id, h.actor,
	       h.reason AS why, j.group_no, j.kind AS job_kind, j.state, j.attempts, x.version, x.state AS order_state,
	       x.payment_state, x.fulfillment_state, coalesce(j.lease_until > clock_timestamp(), false) AS leased,
	       EXISTS (SELECT FROM payment_attempt a
	                WHERE (a.tenant, a.order_id, a.group_no) = (j.tenant, j.order_id, j.group_no)
	                  AND a.state IN ('intent', 'unknown', 'requires_action')) AS live
	FROM h
	LEFT JOIN job j ON j.id = h.job_id AND (j.tenant, j.order_id) = (h.tenant, h.order_id)
	LEFT JOIN orders x ON (x.tenant, x.id) = (j.tenant, j.order_id)
),
judged AS MATERIALIZED (
	SELECT *, CASE WHEN n IN (SELECT n FROM seen) THEN 'seen'
	               WHEN state IS NULL THEN 'not_found'
	               WHEN state NOT IN ('ready', 'running') THEN 'over'
	               WHEN leased THEN 'running'
	               WHEN split_part(job_kind, '.', 1) = 'payment'
	                    AND (live OR job_kind IN ('payment.capture', 'payment.void') AND attempts > 0) THEN 'doubt'
	               ELSE 'cancelled' END AS outcome
	FROM asked
),
request_rows AS (
	INSERT INTO request (tenant, method, key, fingerprint, resource)
	SELECT tenant, request_method, request_key, fingerprint, action_id FROM judged WHERE outcome = 'cancelled'
	ORDER BY tenant, request_method, request_key
	ON CONFLICT DO NOTHING
	RETURNING resource
),
w AS MATERIALIZED (
	SELECT *, 'job_cancelled' AS kind, job_kind || ': ' || coalesce(nullif(why, ''), 'no reason given') AS detail,
	       order_state AS from_state, order_state AS to_state, version + 1 AS seq, 'job_dead' AS reason,
	       job_kind = 'notification.mail' AS mail
	FROM judged WHERE outcome = 'cancelled' AND (action_id IN (SELECT resource FROM request_rows)) IS TRUE
),
actions AS (
	INSERT INTO operator_action (tenant, id, action, subject, job_id, reason, actor)
	SELECT tenant, action_id, 'cancel_job', job_kind, job_id, why, actor FROM w
),
given_up AS (
	UPDATE job j SET state = CASE WHEN w.mail THEN 'done' ELSE 'dead' END, lease_until = NULL, epoch = j.epoch + 1,
	                 done_at = CASE WHEN w.mail THEN now() END,
	                 last_error = 'cancelled by ' || w.actor || CASE w.why WHEN '' THEN '' ELSE ': ' || w.why END
	FROM w WHERE j.id = w.job_id
),
untold AS (
	UPDATE notification m SET state = 'suppressed', detail = 'cancelled by ' || w.actor
	FROM w WHERE w.mail AND (m.tenant, m.id) = (w.tenant, w.job_id)
),
steps AS MATERIALIZED (SELECT tenant, order_id, seq AS version, to_state, payment_state, fulfillment_state FROM w),
@order_step(steps),
@event(w),
stuck AS MATERIALIZED (SELECT * FROM w WHERE NOT mail),
@hold_open(stuck)
SELECT n, CASE WHEN outcome = 'cancelled' AND (n IN (SELECT n FROM w)) IS NOT TRUE THEN 'seen' ELSE outcome END
FROM judged ORDER BY n
