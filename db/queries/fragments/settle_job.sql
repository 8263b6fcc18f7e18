-- settle_job(rows): the jobs of `rows` are done, if the claim they were done under still holds.
-- A completion reads everything after this from `settled`: no row there, nothing changed.
settled AS (
	UPDATE job j SET state = 'done', lease_until = NULL, done_at = now()
	FROM $(1) h
	WHERE j.id = h.job_id AND j.epoch = h.epoch AND j.state = 'running'
	  AND (j.tenant, j.order_id, j.group_no) = (h.tenant, h.order_id, h.group_no)
	RETURNING h.*
)
