-- Locks the stock this batch moves, sorted, last of all locks and for the shortest time.  Which rows these are is read
-- from the movements this very transaction inserted (xmin): a unit asked again after a lost COMMIT inserts none.
-- shared: stock_lock
-- columns: tenant int4, cause uuid
SELECT 1
  FROM stock s
  JOIN (SELECT DISTINCT m.tenant, m.item, m.location
          FROM (SELECT * FROM @columns) k
          JOIN stock_movement m ON (m.tenant, m.cause) = (k.tenant, k.cause)
         WHERE m.xmin = pg_current_xact_id()::xid) t
    ON (s.tenant, s.item, s.location) = (t.tenant, t.item, t.location)
 ORDER BY s.tenant, s.item, s.location
   FOR NO KEY UPDATE OF s
