-- also: payment_attempts_agree, payment_booked
-- An authorization has ended, and nobody asks for another: the capture waits for ever.
UPDATE payment SET state = 'pending', authorized_minor = 0
 WHERE (tenant, order_id, group_no) = (SELECT p.tenant, p.order_id, p.group_no FROM payment p
        JOIN orders o ON (o.tenant, o.id) = (p.tenant, p.order_id) WHERE o.state = 'confirmed' AND p.state = 'authorized' LIMIT 1);
