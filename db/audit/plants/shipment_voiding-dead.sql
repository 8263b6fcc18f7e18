-- also: fulfillment_state, job_dead_held, shipment_buckets
-- It was tried for hours, and buried.
WITH s AS (
	UPDATE shipment SET state = 'voiding' WHERE id = (SELECT id FROM shipment WHERE state = 'handed_over' LIMIT 1)
	RETURNING tenant, order_id, group_no
)
INSERT INTO job (id, tenant, order_id, group_no, kind, state, epoch, attempts)
SELECT gen_random_uuid(), tenant, order_id, group_no, 'shipping.void', 'dead', 720, 720 FROM s;
