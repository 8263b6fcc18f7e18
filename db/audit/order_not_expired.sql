-- No order is pending long after its time: the janitor ends it, or finds out what became of its payment.
SELECT tenant, id, state, payment_state, expires_at
  FROM orders
 WHERE state = 'pending' AND expires_at < now() - interval '5 minutes'
