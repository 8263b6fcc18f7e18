-- Where a customer may confirm is still told after the payment was declined.
UPDATE payment_attempt SET action_url = 'https://bank.example'
 WHERE (tenant, id) = (SELECT tenant, id FROM payment_attempt WHERE state = 'declined' LIMIT 1);
