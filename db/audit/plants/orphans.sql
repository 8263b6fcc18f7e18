DELETE FROM contact WHERE id = (SELECT contact_id FROM orders LIMIT 1);
