-- also: order_total
UPDATE orders SET uncovered_minor = uncovered_minor + 1, total_minor = total_minor + 1
 WHERE id = (SELECT id FROM orders WHERE state = 'confirmed' LIMIT 1);
