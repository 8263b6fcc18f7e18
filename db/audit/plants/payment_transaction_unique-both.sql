-- What was taken was let go as well.
INSERT INTO payment_transaction (tenant, attempt_id, kind, order_id, group_no, amount_minor, gateway_ref)
SELECT tenant, attempt_id, 'void', order_id, group_no, amount_minor, gateway_ref
  FROM payment_transaction
 WHERE kind = 'capture'
 LIMIT 1;
