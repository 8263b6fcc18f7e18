-- Somebody brings jobs back: a dead one is ready again as if it had never been tried, told in its order's history, and no
-- longer holds it; one that was put off is due now.  All or some of those named: what is not dead and not put off by now,
-- or belongs to an order that is being changed at this moment, is left as it is; nothing is waited for.
-- A row per retried job, for it is to be rung; or one row: seen (request_key), or none.
-- unit: jobs_retry   lane: order   rank: 55
-- keys: request(tenant, request_method, request_key)
-- head: tenant int4, request_method int2, request_key text, fingerprint bytea, action_id uuid, subject text, actor text, more bool
-- line: job_id uuid
-- answer: ordinal int8, outcome text, job_id uuid?, order_id uuid?, kind text?, priority int2
WITH h AS MATERIALIZED (SELECT * FROM @head),
l AS MATERIALIZED (
	SELECT DISTINCT ON (l.job_id) l.n, l.job_id, @of(tenant) AS tenant, @of(action_id) AS action_id, @of(actor) AS actor
	FROM @line ORDER BY l.job_id, l.n
),
seen AS MATERIALIZED (
	SELECT h.n FROM h JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
),
free AS MATERIALIZED (
	SELECT l.n, l.tenant, l.action_id, l.actor, l.job_id, j.order_id, j.group_no, j.kind AS job_kind, j.priority,
	       j.state = 'dead' AS dead, x.version AS version_now, x.state AS order_state, x.payment_state, x.fulfillment_state
	FROM l
	JOIN job j ON j.id = l.job_id AND j.tenant = l.tenant AND j.lease_until IS NULL AND j.done_at IS NULL
	 AND (j.state NOT IN ('ready', 'parked') OR j.state = 'ready' AND j.run_at > now())
	JOIN orders x ON (x.tenant, x.id) = (j.tenant, j.order_id)
	WHERE (l.n IN (SELECT n FROM seen)) IS NOT TRUE
	FOR NO KEY UPDATE OF j, x SKIP LOCKED
),
request_rows AS (
	INSERT INTO request (tenant, method, key, fingerprint, resource)
	SELECT tenant, request_method, request_key, fingerprint, action_id
	FROM h WHERE (n IN (SELECT n FROM free)) IS TRUE
	ORDER BY tenant, request_method, request_key
	ON CONFLICT DO NOTHING
	RETURNING resource
),
w AS MATERIALIZED (SELECT * FROM free WHERE (action_id IN (SELECT resource FROM request_rows)) IS TRUE),
actions AS (
	INSERT INTO operator_action (tenant, id, action, subject, reason, actor, jobs, more)
	SELECT tenant, action_id, 'retry_jobs', subject, '', actor, (SELECT count(*) FROM w WHERE w.n = h.n), more
	FROM h WHERE (n IN (SELECT n FROM w)) IS TRUE
),
back AS (
	UPDATE job j SET state = 'ready', run_at = now(), attempts = CASE WHEN w.dead THEN 0 ELSE j.attempts END,
	                 deaths = CASE WHEN w.dead THEN 0 ELSE j.deaths END
	FROM w WHERE j.id = w.job_id
),
revived AS MATERIALIZED (
	SELECT *, version_now + row_number() OVER (PARTITION BY tenant, order_id ORDER BY job_id) AS seq,
	       'job_retried' AS kind, order_state AS from_state, order_state AS to_state, job_kind AS detail
	FROM w WHERE dead
),
@event(revived),
steps AS (
	SELECT tenant, order_id, max(seq) AS version, to_state, payment_state, fulfillment_state
	FROM revived GROUP BY tenant, order_id, to_state, payment_state, fulfillment_state
),
@order_step(steps),
unstuck AS (
	SELECT DISTINCT r.tenant, r.order_id, r.group_no FROM revived r
	WHERE NOT EXISTS (SELECT FROM job j
	                   WHERE (j.tenant, j.order_id) = (r.tenant, r.order_id) AND j.group_no = r.group_no
	                     AND j.state NOT IN ('ready', 'running', 'parked', 'done') AND (j.id IN (SELECT job_id FROM revived)) IS NOT TRUE)
),
@hold_release(unstuck, job_dead)
SELECT n, 'retried', job_id, order_id, job_kind, priority FROM w
UNION ALL
SELECT n, CASE WHEN (n IN (SELECT n FROM seen)) IS TRUE OR (n IN (SELECT n FROM free)) IS TRUE THEN 'seen' ELSE 'none' END,
       NULL, NULL, NULL, 0::int2
FROM h WHERE (n IN (SELECT n FROM w)) IS NOT TRUE
ORDER BY 1
