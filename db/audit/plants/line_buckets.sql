-- also: order_total
UPDATE order_line SET ordered = ordered + 1, cancelled = cancelled + 1
 WHERE (tenant, order_id, line) = (SELECT tenant, order_id, line FROM order_line LIMIT 1);
