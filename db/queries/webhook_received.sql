-- A provider's event goes to the inbox, and the job that waits for such news is made due: it asks the provider itself.
-- Order and job are what webhook_find answered, absent when it found none.  One row; its outcome:
--   moved    another job waits by now, or somebody's: nothing was kept, find again
--   seen     it was here before
--   woken    the job is due (a parked one is ready again): ring it
--   told     the job is running, and will be due again at once should it put itself off
--   queued   nothing waited, but an authorization was lost: a job that renews it was made, ring it
--   idle     nothing waits for this
--   unknown  it is about nothing of ours
-- unit: webhook_received   lane: job   rank: 46
-- keys: id(order_id), request(tenant, 100, event_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid?, job_id uuid?, provider text, event_id text, kind text, object_id text
-- answer: ordinal int8, outcome text, job_id uuid?, job_kind text?, priority int2
WITH h AS MATERIALIZED (SELECT * FROM @head),
@awaited(h),
steady AS MATERIALIZED (
	SELECT * FROM awaited
	WHERE tenant = coalesce(found_tenant, tenant) AND order_id IS NOT DISTINCT FROM found_order
	  AND job_id IS NOT DISTINCT FROM found_job
),
kept AS (
	INSERT INTO webhook_event (tenant, provider, event_id, kind, object_id)
	SELECT tenant, provider, event_id, kind, object_id FROM steady
	ORDER BY tenant, provider, event_id
	ON CONFLICT DO NOTHING
	RETURNING tenant, provider, event_id
),
news AS MATERIALIZED (
	SELECT * FROM steady
	WHERE ((tenant, provider, event_id) IN (SELECT tenant, provider, event_id FROM kept)) IS TRUE
),
woken AS (
	UPDATE job j SET state = CASE j.state WHEN 'parked' THEN 'ready' ELSE j.state END,
	                 run_at = least(j.run_at, now()), nudged_epoch = j.epoch
	FROM news w WHERE j.id = w.found_job
	RETURNING w.n, j.id, j.kind, j.priority, j.state
),
renewals AS MATERIALIZED (
	SELECT w.n, w.tenant, w.order_id, w.found_group AS group_no, child_id(w.order_id) AS next_job,
	       'payment.renew' AS next_kind, 1::int2 AS priority, now() AS run_at
	FROM news w
	WHERE w.found_job IS NULL AND w.authorized AND w.kind IN ('payment_intent.canceled', 'charge.expired')
	  AND NOT EXISTS ( -- who settles it will see for himself
		SELECT FROM job j
		WHERE (j.tenant, j.order_id, j.group_no) = (w.tenant, w.order_id, w.found_group)
		  AND j.kind IN ('payment.capture', 'payment.void') AND j.state IN ('ready', 'running', 'parked'))
),
@next_job(renewals, NULL),
told AS MATERIALIZED (
	SELECT n, CASE state WHEN 'running' THEN 'told' ELSE 'woken' END AS outcome,
	       CASE state WHEN 'running' THEN NULL ELSE id END AS job_id,
	       CASE state WHEN 'running' THEN NULL ELSE kind END AS job_kind, priority
	FROM woken
	UNION ALL
	SELECT n, 'queued', next_job, next_kind, priority FROM renewals
)
SELECT n, outcome, job_id, job_kind, priority FROM told
UNION ALL
SELECT n, CASE WHEN (n IN (SELECT n FROM steady)) IS NOT TRUE THEN 'moved'
               WHEN (n IN (SELECT n FROM news)) IS NOT TRUE THEN 'seen'
               WHEN found_order IS NULL THEN 'unknown' ELSE 'idle' END,
       NULL, NULL, 0::int2
FROM awaited WHERE (n IN (SELECT n FROM told)) IS NOT TRUE
ORDER BY n
