-- What the gateway took for an order is at most its total.
SELECT o.tenant, o.id, o.total_minor, sum(g.captured_minor) AS taken
  FROM gateway_payment g
  JOIN payment_attempt a ON a.id = g.attempt_id
  JOIN orders o ON (o.tenant, o.id) = (a.tenant, a.order_id)
 GROUP BY o.tenant, o.id, o.total_minor
HAVING sum(g.captured_minor) > o.total_minor
