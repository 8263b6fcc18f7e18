UPDATE shipment_label SET tracking_code = 'another' WHERE shipment_id = (SELECT id FROM shipment WHERE state = 'delivered' LIMIT 1);
