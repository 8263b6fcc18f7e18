-- also: payment_booked
INSERT INTO payment_transaction (tenant, attempt_id, kind, order_id, group_no, amount_minor, gateway_ref)
SELECT tenant, gen_random_uuid(), 'capture', order_id, group_no, amount_minor, gateway_ref || '-twice'
  FROM payment_transaction
 WHERE kind = 'capture'
 LIMIT 1;
