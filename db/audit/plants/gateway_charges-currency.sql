UPDATE gateway_payment SET currency = 'USD'
 WHERE id = (SELECT id FROM gateway_payment WHERE held_minor > 0 LIMIT 1);
