-- The total of an order is the worth of what was ordered.
SELECT o.tenant, o.id, o.total_minor, sum(g.ordered * g.unit_minor) AS should_be
  FROM orders o
  JOIN order_line g ON (g.tenant, g.order_id) = (o.tenant, o.id)
 GROUP BY o.tenant, o.id, o.total_minor
HAVING o.total_minor <> sum(g.ordered * g.unit_minor)
