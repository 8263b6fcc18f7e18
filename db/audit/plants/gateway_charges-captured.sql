UPDATE gateway_payment SET captured_minor = captured_minor - 1
 WHERE id = (SELECT id FROM gateway_payment WHERE captured_minor > 0 LIMIT 1);
