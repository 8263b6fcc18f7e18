-- A dead job holds its order for somebody to see to it, and nothing is held for a dead job that is there no more.
SELECT j.tenant, j.order_id, j.group_no, j.kind AS what
  FROM job j
 WHERE j.state = 'dead' AND NOT EXISTS (
	SELECT FROM order_hold d
	 WHERE (d.tenant, d.order_id, d.group_no, d.reason) = (j.tenant, j.order_id, j.group_no, 'job_dead') AND d.released_at IS NULL)
UNION ALL
SELECT d.tenant, d.order_id, d.group_no, 'a hold without its job'
  FROM order_hold d
 WHERE d.reason = 'job_dead' AND d.released_at IS NULL AND NOT EXISTS (
	SELECT FROM job j
	 WHERE (j.tenant, j.order_id, j.group_no) = (d.tenant, d.order_id, d.group_no) AND j.state = 'dead')
