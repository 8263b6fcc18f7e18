-- retry_job(rows, attempts, error): the jobs of `rows` are ready again in delay_ms, if the claim still
-- holds.  What follows reads `retried`.  The new run_at is @retry_at(h.delay_ms).
retried AS (
	UPDATE job j SET state = 'ready', lease_until = NULL, run_at = @retry_at(h.delay_ms),
	                 attempts = $(2), last_error = $(3)
	FROM $(1) h
	WHERE j.id = h.job_id AND j.epoch = h.epoch AND j.lease_until IS NOT NULL
	  AND (j.tenant, j.order_id, j.group_no) = (h.tenant, h.order_id, h.group_no)
	RETURNING h.*
)
