-- also: line_reservations, payment_covers
UPDATE reservation SET qty = qty + 1
 WHERE (tenant, order_id, line, location)
     = (SELECT tenant, order_id, line, location FROM reservation WHERE state IN ('held', 'committed') LIMIT 1);
