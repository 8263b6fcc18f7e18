DELETE FROM reservation
 WHERE (tenant, order_id, line, location) = (SELECT tenant, order_id, line, location FROM reservation LIMIT 1);
