-- Before a label is bought: the carrier's shipment it will be bought for is a row, so that a second try buys the same.
-- The first id stays; it is the answer.  No row: the claim is stale, or the label is bought already.
-- unit: label_intent   lane: job   rank: 42
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, remote_id text
-- answer: ordinal int8, remote_id text
WITH h AS MATERIALIZED (SELECT * FROM @head),
@hold_job(h),
fact AS MATERIALIZED (
	SELECT w.*, s.remote_id AS known FROM held w
	JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (w.tenant, w.order_id, w.group_no)
	 AND s.state IN ('planned', 'label_intent')
),
intended AS (
	UPDATE shipment s SET state = 'label_intent', remote_id = w.remote_id, updated_at = now()
	FROM fact w
	WHERE (s.tenant, s.order_id, s.group_no) = (w.tenant, w.order_id, w.group_no) AND w.known IS NULL
)
SELECT n, coalesce(known, remote_id) FROM fact ORDER BY n
