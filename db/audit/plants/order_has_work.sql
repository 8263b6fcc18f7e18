DELETE FROM job WHERE order_id = (SELECT id FROM orders WHERE state = 'pending' LIMIT 1);
