-- The order is held for a job that is not dead.
INSERT INTO order_hold (tenant, order_id, group_no, reason, detail)
SELECT tenant, id, 1, 'job_dead', '' FROM orders WHERE state = 'confirmed' LIMIT 1;
