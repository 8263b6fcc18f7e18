-- A job will not be tried again: kept as dead with its last error, told in the order's events, and it holds the order until
-- somebody brings it back (jobs_retry).
-- No row: the claim is stale.
-- unit: job_bury   lane: job   rank: 22
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, job_id uuid, epoch int8, error text
-- answer: ordinal int8, version int8
WITH h AS MATERIALIZED (SELECT * FROM @head),
fact AS MATERIALIZED (
	SELECT h.*, x.version + 1 AS seq, x.version + 1 AS version, x.state AS from_state, x.state AS to_state,
	       x.payment_state, x.fulfillment_state
	FROM h JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
),
buried AS (
	UPDATE job j SET state = 'dead', lease_until = NULL, last_error = w.error
	FROM fact w
	WHERE j.id = w.job_id AND j.epoch = w.epoch AND j.lease_until IS NOT NULL
	  AND (j.tenant, j.order_id) = (w.tenant, w.order_id)
	RETURNING w.*, j.group_no, 'job_dead' AS kind, j.kind || ': ' || w.error AS detail,
	          split_part(j.kind, '.', 1) AS actor, 'job_dead' AS reason
),
@order_step(buried),
@event(buried),
@hold_open(buried)
SELECT n, version FROM buried ORDER BY n
