-- next_job_in(rows): as next_job, with the state the job begins in: next_state, ready or parked.
next_jobs AS (
	INSERT INTO job (id, tenant, order_id, group_no, kind, priority, run_at, state)
	SELECT next_job, tenant, order_id, group_no, next_kind, priority, run_at, next_state FROM $(1)
)
