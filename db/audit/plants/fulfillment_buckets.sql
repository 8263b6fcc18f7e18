-- also: fulfillment_state
UPDATE fulfillment_order SET state = 'picked'
 WHERE (tenant, id) = (SELECT tenant, id FROM fulfillment_order WHERE state = 'packed' LIMIT 1);
