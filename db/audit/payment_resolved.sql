-- What became of a try to pay is known within the hour.
SELECT tenant, order_id, group_no, id, state, updated_at
  FROM payment_attempt
 WHERE state IN ('intent', 'unknown') AND updated_at < now() - interval '1 hour'
