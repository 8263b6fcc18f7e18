-- settle_job(rows): the jobs of `rows` are done, if the claim they were done under still holds.
-- A completion reads everything after this from `settled`: no row there, nothing changed.
-- A running job is told by its lease (constraint job_leased), here and wherever a claim is checked: state = 'running'
-- would invite the planner to walk the index of all running jobs for every row, where it should look the job up.
settled AS (
	UPDATE job j SET state = 'done', lease_until = NULL, done_at = now()
	FROM $(1) h
	WHERE j.id = h.job_id AND j.epoch = h.epoch AND j.lease_until IS NOT NULL
	  AND (j.tenant, j.order_id, j.group_no) = (h.tenant, h.order_id, h.group_no)
	RETURNING h.*
)
