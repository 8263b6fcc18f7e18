-- also: payment_covers, stock_reservations
DELETE FROM reservation
 WHERE (tenant, order_id, line, group_no)
     = (SELECT tenant, order_id, line, group_no FROM reservation WHERE state <> 'released' LIMIT 1);
