-- What an order line takes from its locations is what was ordered, as long as nothing was backordered.
SELECT tenant, order_id, line, g.ordered, coalesce(r.qty, 0) AS planned
  FROM order_line g
  LEFT JOIN (SELECT tenant, order_id, line, sum(qty) AS qty FROM reservation GROUP BY tenant, order_id, line) r
       USING (tenant, order_id, line)
 WHERE g.ordered <> coalesce(r.qty, 0) AND g.backordered = 0 AND g.unassigned = 0
