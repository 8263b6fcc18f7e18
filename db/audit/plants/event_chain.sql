UPDATE order_event SET to_state = 'completed'
 WHERE (tenant, order_id, seq) = (SELECT tenant, order_id, seq FROM order_event WHERE seq = 1 LIMIT 1);
