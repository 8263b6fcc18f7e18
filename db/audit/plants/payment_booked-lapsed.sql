-- also: payment_attempts_agree
-- An authorization has ended, and its payment says that money is held.
UPDATE payment_attempt SET state = 'voided'
 WHERE (tenant, id) = (SELECT tenant, id FROM payment_attempt WHERE state = 'authorized' LIMIT 1);
