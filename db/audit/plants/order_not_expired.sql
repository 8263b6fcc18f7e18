UPDATE orders SET expires_at = now() - interval '6 minutes' WHERE id = (SELECT id FROM orders WHERE state = 'pending' LIMIT 1);
