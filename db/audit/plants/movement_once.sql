-- also: line_buckets, stock_counters
-- The same units once more, as the cause's next movement.
INSERT INTO stock_movement (tenant, cause, n, order_id, line, item, location, from_bucket, to_bucket, qty)
SELECT tenant, cause, n + 1000, order_id, line, item, location, from_bucket, to_bucket, qty
  FROM stock_movement WHERE to_bucket = 'reserved' LIMIT 1;
