-- The timeline of an order has no gap, and its last number is the order's version.
SELECT o.tenant, o.id, o.version, count(e.seq) AS events, min(e.seq) AS first, max(e.seq) AS last
  FROM orders o
  LEFT JOIN order_event e ON (e.tenant, e.order_id) = (o.tenant, o.id)
 GROUP BY o.tenant, o.id, o.version
HAVING min(e.seq) IS DISTINCT FROM 1 OR max(e.seq) <> o.version OR count(e.seq) <> o.version
