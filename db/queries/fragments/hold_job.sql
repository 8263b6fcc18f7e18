-- hold_job(rows): those of `rows` whose claim still holds; the job goes on running.
held AS MATERIALIZED (
	SELECT h.* FROM $(1) h
	JOIN job j ON j.id = h.job_id AND j.epoch = h.epoch AND j.lease_until IS NOT NULL
	 AND (j.tenant, j.order_id, j.group_no) = (h.tenant, h.order_id, h.group_no)
)
