-- The gateway let go of it a while ago.
UPDATE payment_attempt SET updated_at = now() - interval '1 hour';
UPDATE gateway_payment SET held_minor = 0, status = 'canceled', changed_at = now() - interval '16 minutes'
 WHERE id = (SELECT id FROM gateway_payment WHERE held_minor > 0 LIMIT 1);
