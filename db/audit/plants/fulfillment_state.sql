-- also: fulfillment_buckets
UPDATE fulfillment_order SET state = 'open'
 WHERE (tenant, id) = (SELECT tenant, id FROM fulfillment_order WHERE state = 'packed' LIMIT 1);
