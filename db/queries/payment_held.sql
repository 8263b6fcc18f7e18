-- The gateway still holds the money of one group, until then: there is nothing to renew.
-- unit: payment_held   lane: job   rank: 37
-- keys: id(order_id)
-- locks: jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, attempt_id uuid, authorized_until timestamptz
-- answer: ordinal int8
WITH h AS MATERIALIZED (SELECT * FROM @head),
@settle_job(h),
known AS (
	UPDATE payment p SET authorized_until = w.authorized_until
	FROM settled w
	JOIN payment_attempt a ON (a.tenant, a.id) = (w.tenant, w.attempt_id)
	 AND (a.order_id, a.group_no) = (w.order_id, w.group_no) AND a.state = 'authorized'
	WHERE (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no) AND p.state = 'authorized'
)
SELECT n FROM settled ORDER BY n
