-- Where the units of an order line are is what its reservations say, group by group: held, at work, gone.
SELECT tenant, order_id, line, g.reserved, r.held, g.allocated + g.picked + g.packed AS at_work, r.committed,
       g.shipped + g.delivered + g.returned AS gone, r.shipped
  FROM order_line g
  LEFT JOIN (SELECT tenant, order_id, line,
                    sum(qty) FILTER (WHERE state = 'held') AS held,
                    sum(qty) FILTER (WHERE state = 'committed') AS committed,
                    sum(qty) FILTER (WHERE state = 'shipped') AS shipped
               FROM reservation
              GROUP BY tenant, order_id, line) r USING (tenant, order_id, line)
 WHERE (g.reserved, g.allocated + g.picked + g.packed, g.shipped + g.delivered + g.returned)
    <> (coalesce(r.held, 0), coalesce(r.committed, 0), coalesce(r.shipped, 0))
