-- The index that forbids it has been lost.
DROP INDEX payment_attempt_one_live;
INSERT INTO payment_attempt (tenant, id, order_id, group_no, n, state)
SELECT tenant, gen_random_uuid(), order_id, group_no, 99, 'unknown'
  FROM payment_attempt
 WHERE state = 'captured'
 LIMIT 1;
