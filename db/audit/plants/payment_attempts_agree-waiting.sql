-- A payment waits for its customer, and nothing is there to be confirmed.
UPDATE payment SET state = 'requires_action'
 WHERE (tenant, order_id, group_no) = (SELECT tenant, order_id, group_no FROM payment WHERE state = 'pending' LIMIT 1);
