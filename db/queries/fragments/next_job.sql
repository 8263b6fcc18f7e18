-- next_job(rows): a job per row: next_job (its id), next_kind, priority, run_at, and whose it is.
next_jobs AS (
	INSERT INTO job (id, tenant, order_id, group_no, kind, priority, run_at)
	SELECT next_job, tenant, order_id, group_no, next_kind, priority, run_at FROM $(1)
)
