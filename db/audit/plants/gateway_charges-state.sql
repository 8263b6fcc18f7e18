-- Taken there for a quarter of an hour, and we still say it is held.
UPDATE payment_attempt SET updated_at = now() - interval '1 hour';
UPDATE gateway_payment SET held_minor = 0, captured_minor = held_minor, status = 'succeeded',
                           changed_at = now() - interval '16 minutes'
 WHERE id = (SELECT id FROM gateway_payment WHERE held_minor > 0 LIMIT 1);
