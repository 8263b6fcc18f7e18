-- The picked and packed units of an order line are those of its groups that are picked and packed.
SELECT tenant, order_id, line, g.picked, f.picked AS of_groups, g.packed, f.packed AS packed_of_groups
  FROM order_line g
  LEFT JOIN (SELECT r.tenant, r.order_id, r.line,
                    sum(r.qty) FILTER (WHERE f.state = 'picked') AS picked,
                    sum(r.qty) FILTER (WHERE f.state = 'packed') AS packed
               FROM fulfillment_order f
               JOIN reservation r ON (r.tenant, r.order_id, r.group_no) = (f.tenant, f.order_id, f.group_no)
                AND r.state = 'committed'
              GROUP BY r.tenant, r.order_id, r.line) f USING (tenant, order_id, line)
 WHERE (g.picked, g.packed) <> (coalesce(f.picked, 0), coalesce(f.packed, 0))
