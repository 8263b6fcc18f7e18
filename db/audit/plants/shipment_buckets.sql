-- also: line_buckets
UPDATE order_line SET delivered = delivered - 1, returned = returned + 1
 WHERE (tenant, order_id, line) = (SELECT tenant, order_id, line FROM order_line WHERE delivered > 0 LIMIT 1);
