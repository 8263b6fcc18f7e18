-- The buckets of an order line are the sums of its movements, beginning with everything unassigned.
SELECT tenant, order_id, line, b.bucket, b.qty, coalesce(m.qty, 0) AS should_be
  FROM order_line g
 CROSS JOIN LATERAL (VALUES ('unassigned', g.unassigned - g.ordered), ('reserved', g.reserved),
                            ('backordered', g.backordered), ('allocated', g.allocated), ('picked', g.picked),
                            ('packed', g.packed), ('shipped', g.shipped), ('delivered', g.delivered),
                            ('cancelled', g.cancelled), ('returned', g.returned)) b(bucket, qty)
  FULL JOIN (SELECT tenant, order_id, line, d.bucket, sum(d.qty) AS qty
               FROM stock_movement v
              CROSS JOIN LATERAL (VALUES (v.to_bucket, v.qty), (v.from_bucket, -v.qty)) d(bucket, qty)
              WHERE order_id IS NOT NULL
              GROUP BY tenant, order_id, line, d.bucket) m USING (tenant, order_id, line, bucket)
 WHERE coalesce(b.qty, 0) <> coalesce(m.qty, 0)
