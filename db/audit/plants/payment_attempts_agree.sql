-- also: payment_booked
UPDATE payment_attempt SET state = 'failed'
 WHERE (tenant, id) = (SELECT tenant, id FROM payment_attempt WHERE state = 'captured' LIMIT 1);
