-- also: line_reservations, stock_reservations
UPDATE reservation SET state = 'held' WHERE order_id = (SELECT id FROM orders WHERE state = 'cancelled' LIMIT 1);
