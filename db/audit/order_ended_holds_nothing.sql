-- An order that has ended holds no stock, and one that was completed or cancelled no money either.
SELECT o.tenant, o.id, o.state, 'units' AS holds
  FROM orders o
  JOIN order_line g ON (g.tenant, g.order_id) = (o.tenant, o.id)
 WHERE o.state IN ('completed', 'cancelled', 'cancelling', 'rejected', 'expired')
   AND g.unassigned + g.reserved + g.backordered + g.allocated + g.picked + g.packed > 0
UNION ALL
SELECT o.tenant, o.id, o.state, 'reservation'
  FROM orders o
  JOIN reservation r ON (r.tenant, r.order_id) = (o.tenant, o.id)
 WHERE o.state IN ('completed', 'cancelled', 'cancelling', 'rejected', 'expired') AND r.state IN ('held', 'committed')
UNION ALL
SELECT o.tenant, o.id, o.state, 'money'
  FROM orders o
  JOIN payment p ON (p.tenant, p.order_id) = (o.tenant, o.id)
 WHERE o.state IN ('completed', 'cancelled') AND p.state IN ('pending', 'unknown', 'requires_action', 'authorized')
