UPDATE order_line SET unit_minor = unit_minor + 1
 WHERE (tenant, order_id) = (SELECT tenant, id FROM orders WHERE state = 'expired' LIMIT 1);
