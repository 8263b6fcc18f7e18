-- also: payment_attempts_agree
-- A customer may still confirm the payment of a cancelled order.
UPDATE payment SET state = 'requires_action'
 WHERE (tenant, order_id, group_no) = (SELECT p.tenant, p.order_id, p.group_no FROM payment p
        JOIN orders o ON (o.tenant, o.id) = (p.tenant, p.order_id) WHERE o.state = 'cancelled' LIMIT 1);
