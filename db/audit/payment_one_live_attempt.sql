-- At most one attempt of a payment is live: two could both be charged.
SELECT tenant, order_id, group_no, array_agg(id ORDER BY n) AS attempts
  FROM payment_attempt
 WHERE state IN ('intent', 'unknown', 'requires_action', 'authorized', 'captured')
 GROUP BY tenant, order_id, group_no
HAVING count(*) > 1
