-- The buckets of an order line are the sums of its movements, beginning with everything unassigned.
SELECT tenant, order_id, line, g.buckets, m.buckets AS should_be
  FROM (SELECT tenant, order_id, line, ARRAY[unassigned - ordered, reserved, backordered, allocated, picked, packed, shipped,
                                             delivered, cancelled, returned]::numeric[] AS buckets
          FROM order_line) g
  FULL JOIN (SELECT tenant, order_id, line, ARRAY[
                    sum(CASE 'unassigned' WHEN to_bucket THEN qty WHEN from_bucket THEN -qty ELSE 0 END),
                    sum(CASE 'reserved' WHEN to_bucket THEN qty WHEN from_bucket THEN -qty ELSE 0 END),
                    sum(CASE 'backordered' WHEN to_bucket THEN qty WHEN from_bucket THEN -qty ELSE 0 END),
                    sum(CASE 'allocated' WHEN to_bucket THEN qty WHEN from_bucket THEN -qty ELSE 0 END),
                    sum(CASE 'picked' WHEN to_bucket THEN qty WHEN from_bucket THEN -qty ELSE 0 END),
                    sum(CASE 'packed' WHEN to_bucket THEN qty WHEN from_bucket THEN -qty ELSE 0 END),
                    sum(CASE 'shipped' WHEN to_bucket THEN qty WHEN from_bucket THEN -qty ELSE 0 END),
                    sum(CASE 'delivered' WHEN to_bucket THEN qty WHEN from_bucket THEN -qty ELSE 0 END),
                    sum(CASE 'cancelled' WHEN to_bucket THEN qty WHEN from_bucket THEN -qty ELSE 0 END),
                    sum(CASE 'returned' WHEN to_bucket THEN qty WHEN from_bucket THEN -qty ELSE 0 END)] AS buckets
               FROM stock_movement
              WHERE order_id IS NOT NULL
              GROUP BY tenant, order_id, line) m USING (tenant, order_id, line)
 WHERE g.buckets IS DISTINCT FROM coalesce(m.buckets, array_fill(0::numeric, ARRAY[10]))
