-- also: stock_counters, stock_reservations
-- The constraint that forbids it has been lost.
ALTER TABLE stock DROP CONSTRAINT stock_not_oversold;
UPDATE stock SET reserved = on_hand + 1 WHERE (tenant, item, location) = (SELECT tenant, item, location FROM stock LIMIT 1);
