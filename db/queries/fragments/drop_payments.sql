-- drop_payments(w, trace): ends the payments of the orders of CTE w (n, tenant, order_id) which are given up.  An authorized
-- one gets a job that voids it: the id is the candidate of its group in the detail rows l (n, group_no, job_id).  One
-- that no attempt is busy with is voided here, and what was held for want of money is not any more.  One with a live attempt is left alone: its outcome must be found first.
-- `trace`: as next_job has it.
-- Leaves behind: void_jobs (n, job_id), the jobs to ring; owed (n), the units whose money is not settled yet.
-- A payment without a candidate, of a group that was made since the caller looked, gets an id made here.
given_up AS MATERIALIZED (
	SELECT w.n, p.tenant, p.order_id, p.group_no, p.state,
	       EXISTS (SELECT FROM payment_attempt a
	                WHERE (a.tenant, a.order_id, a.group_no) = (p.tenant, p.order_id, p.group_no)
	                  AND a.state IN ('intent', 'unknown', 'requires_action')) AS live
	  FROM $(1) w
	  JOIN payment p ON (p.tenant, p.order_id) = (w.tenant, w.order_id)
), owed AS MATERIALIZED (
	SELECT DISTINCT n FROM given_up WHERE state = 'authorized' OR live
), void_jobs AS MATERIALIZED (
	SELECT p.n, p.tenant, p.order_id, p.group_no, coalesce(l.job_id, child_id(p.order_id)) AS job_id
	  FROM given_up p
	  LEFT JOIN l ON (l.n, l.group_no) = (p.n, p.group_no)
	 WHERE p.state = 'authorized'
), void_rows AS (
	INSERT INTO job (id, tenant, order_id, group_no, kind, priority, trace)
	SELECT job_id, tenant, order_id, group_no, 'payment.void', 0, $(2)::bytea FROM void_jobs l
), voided_rows AS (
	UPDATE payment p SET state = 'voided'
	  FROM given_up d
	 WHERE (p.tenant, p.order_id, p.group_no) = (d.tenant, d.order_id, d.group_no)
	   AND d.state = 'pending' AND NOT d.live
), unheld AS (
	UPDATE order_hold d SET released_at = now()
	  FROM $(1) w
	 WHERE (d.tenant, d.order_id) = (w.tenant, w.order_id) AND d.reason = 'payment' AND d.released_at IS NULL
)
