-- also: gateway_capped, order_total, payment_total
UPDATE orders SET total_minor = total_minor - 1 WHERE (tenant, id) = (
	SELECT tenant, order_id FROM payment WHERE state = 'captured' LIMIT 1);
