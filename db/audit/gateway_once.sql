-- The gateway made one payment of an attempt: its id is the idempotency key.
SELECT attempt_id, array_agg(id ORDER BY created_at, id) AS payments
  FROM gateway_payment
 WHERE attempt_id IS NOT NULL
 GROUP BY attempt_id
HAVING count(*) > 1
