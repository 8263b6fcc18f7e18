-- fulfillment_begin(rows): the groups of `rows` (tenant, order_id, group_no, next_job) go to their locations: a
-- fulfilment order each, and its pick job.  At a manual location that job is parked until somebody confirms the pick.
begun_groups AS MATERIALIZED (
	SELECT w.tenant, w.order_id, w.group_no, w.next_job, p.location, f.fulfillment = 'manual' AS manual
	FROM $(1) w
	JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no)
	JOIN location f ON (f.tenant, f.location) = (p.tenant, p.location)
), fulfillment_rows AS (
	INSERT INTO fulfillment_order (tenant, id, order_id, group_no, location, state)
	SELECT tenant, child_id(order_id), order_id, group_no, location, 'open' FROM begun_groups
), pick_jobs AS (
	INSERT INTO job (id, tenant, order_id, group_no, kind, state)
	SELECT next_job, tenant, order_id, group_no, 'fulfillment.pick', CASE WHEN manual THEN 'parked' ELSE 'ready' END
	FROM begun_groups
)
