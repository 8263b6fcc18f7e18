-- Locks the orders this batch changes, sorted, so that no two batches wait for each other.  Not FOR UPDATE: rows
-- that point here must not wait.
-- shared: lock_orders
-- columns: tenant int4, order_id uuid
SELECT 1
  FROM orders o
  JOIN (SELECT DISTINCT * FROM @columns) k ON (o.tenant, o.id) = (k.tenant, k.order_id)
 ORDER BY o.tenant, o.id
   FOR NO KEY UPDATE OF o
