-- A job failed for now and is ready again after a delay.  With `refund` it was handed back untried:
-- the attempt does not count and the last error stays.  No row: the claim is stale.
-- unit: job_retry   lane: job   rank: 21
-- keys: id(job_id)
-- locks: jobs
-- head: job_id uuid, epoch int8, delay_ms int8, error text, refund bool
-- answer: ordinal int8, run_at timestamptz
WITH h AS MATERIALIZED (SELECT * FROM @head),
mine AS (
	UPDATE job j SET state = 'ready', lease_until = NULL, run_at = @retry_at(h.delay_ms),
	                 attempts = j.attempts - h.refund::int,
	                 last_error = CASE WHEN h.refund THEN j.last_error ELSE h.error END
	FROM h WHERE j.id = h.job_id AND j.epoch = h.epoch AND j.lease_until IS NOT NULL
	RETURNING h.n, j.run_at
)
SELECT n, run_at FROM mine ORDER BY n
