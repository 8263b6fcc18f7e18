-- also: shipment_buckets, shipment_scans
UPDATE shipment SET state = 'lost' WHERE id = (SELECT id FROM shipment WHERE state = 'delivered' LIMIT 1);
