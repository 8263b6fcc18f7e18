-- The key was forgotten there; the second payment was refused.
INSERT INTO gateway_payment (id, attempt_id, amount_minor, held_minor, captured_minor, currency, status, created_at)
SELECT 'pi_second', attempt_id, amount_minor, 0, 0, currency, 'requires_payment_method', now()
  FROM gateway_payment WHERE captured_minor > 0 LIMIT 1;
