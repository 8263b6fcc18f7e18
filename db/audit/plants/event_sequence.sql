DELETE FROM order_event WHERE (tenant, order_id, seq) = (SELECT tenant, order_id, seq FROM order_event WHERE seq = 2 LIMIT 1);
