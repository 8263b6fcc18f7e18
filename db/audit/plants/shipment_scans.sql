UPDATE shipment_scan SET status = 'in_transit' WHERE shipment_id = (SELECT id FROM shipment WHERE state = 'delivered' LIMIT 1);
