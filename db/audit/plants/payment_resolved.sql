UPDATE payment_attempt SET state = 'unknown', updated_at = now() - interval '61 minutes'
 WHERE id = (SELECT id FROM payment_attempt WHERE state = 'declined' LIMIT 1);
