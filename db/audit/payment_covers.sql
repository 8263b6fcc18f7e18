-- What an order owes without a payment for it is the worth of the units it lacks, and the payment of a group that of its
-- goods.  An order that has ended may have been cancelled while it lacked some.
SELECT o.tenant, o.id, 0 AS group_no, o.uncovered_minor AS minor, sum(g.backordered * g.unit_minor) AS worth
  FROM orders o
  JOIN order_line g ON (g.tenant, g.order_id) = (o.tenant, o.id)
 WHERE o.state IN ('pending', 'confirmed')
 GROUP BY o.tenant, o.id, o.uncovered_minor
HAVING o.uncovered_minor <> sum(g.backordered * g.unit_minor)
UNION ALL
SELECT p.tenant, p.order_id, p.group_no, p.amount_minor, sum(r.qty * g.unit_minor)
  FROM payment p
  JOIN orders o ON (o.tenant, o.id) = (p.tenant, p.order_id) AND o.state IN ('pending', 'confirmed', 'completed')
  LEFT JOIN reservation r ON (r.tenant, r.order_id, r.group_no) = (p.tenant, p.order_id, p.group_no) AND r.state <> 'released'
  LEFT JOIN order_line g ON (g.tenant, g.order_id, g.line) = (r.tenant, r.order_id, r.line)
 GROUP BY p.tenant, p.order_id, p.group_no, p.amount_minor
HAVING p.amount_minor <> coalesce(sum(r.qty * g.unit_minor), 0)
