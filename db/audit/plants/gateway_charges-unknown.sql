-- It names an attempt that nobody knows.
UPDATE gateway_payment SET attempt_id = gen_random_uuid()
 WHERE id = (SELECT id FROM gateway_payment WHERE captured_minor > 0 LIMIT 1);
