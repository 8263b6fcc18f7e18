-- also: gateway_charges
UPDATE gateway_payment SET captured_minor = 1000000
 WHERE id = (SELECT id FROM gateway_payment WHERE captured_minor > 0 LIMIT 1);
