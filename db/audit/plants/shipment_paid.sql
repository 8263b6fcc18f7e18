-- also: order_ended_holds_nothing, order_has_work, payment_attempts_agree, payment_booked
UPDATE payment SET state = 'authorized', captured_minor = 0
 WHERE (tenant, order_id, group_no) = (SELECT tenant, order_id, group_no FROM shipment WHERE state = 'delivered' LIMIT 1);
