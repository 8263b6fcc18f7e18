-- also: payment_attempts_agree, payment_booked
-- The payment of an order in the middle of its work was declined, and nobody is told to see to it.
UPDATE payment SET state = 'declined', authorized_minor = 0
 WHERE (tenant, order_id, group_no) = (SELECT p.tenant, p.order_id, p.group_no FROM payment p
        JOIN orders o ON (o.tenant, o.id) = (p.tenant, p.order_id) WHERE o.state = 'confirmed' AND p.state = 'authorized' LIMIT 1);
