-- The gateway has a payment under this attempt's id: its own id is kept as soon as it is known.
-- unit: payment_found   lane: job   rank: 31
-- keys: id(order_id)
-- locks: jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, attempt_id uuid, gateway_id text
-- answer: ordinal int8
WITH h AS MATERIALIZED (SELECT * FROM @head),
@hold_job(h),
found AS MATERIALIZED (
	SELECT w.*, a.gateway_id AS known FROM held w
	JOIN payment_attempt a ON (a.tenant, a.id) = (w.tenant, w.attempt_id)
	 AND (a.order_id, a.group_no) = (w.order_id, w.group_no)
),
kept AS (
	UPDATE payment_attempt a SET gateway_id = w.gateway_id, updated_at = now()
	FROM found w WHERE (a.tenant, a.id) = (w.tenant, w.attempt_id) AND w.known IS DISTINCT FROM w.gateway_id
)
SELECT n FROM found ORDER BY n
