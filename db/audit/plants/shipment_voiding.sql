-- also: fulfillment_state, shipment_buckets
UPDATE shipment SET state = 'voiding' WHERE id = (SELECT id FROM shipment WHERE state = 'handed_over' LIMIT 1);
