-- One cause moves units once: from here to there, at a place, for a line.
SELECT tenant, cause, order_id, line, item, location, from_bucket, to_bucket, count(*) AS times
  FROM stock_movement
 WHERE order_id IS NOT NULL
 GROUP BY tenant, cause, order_id, line, item, location, from_bucket, to_bucket
HAVING count(*) > 1
