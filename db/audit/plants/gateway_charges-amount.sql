UPDATE gateway_payment SET amount_minor = amount_minor + 1
 WHERE id = (SELECT id FROM gateway_payment WHERE held_minor > 0 LIMIT 1);
