-- next_job(rows, trace): a job per row: next_job (its id), next_kind, priority, run_at, and whose it is.  `trace` is that of
-- the call which makes it; NULL of a job that follows from another: the order's.
next_jobs AS (
	INSERT INTO job (id, tenant, order_id, group_no, kind, priority, run_at, trace)
	SELECT next_job, tenant, order_id, group_no, next_kind, priority, run_at, $(2)::bytea FROM $(1)
)
