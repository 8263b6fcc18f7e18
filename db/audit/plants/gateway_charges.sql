-- A payment made at the gateway past us.
INSERT INTO gateway_payment (id, amount_minor, held_minor, captured_minor, currency, status, created_at)
VALUES ('pi_stranger', 100, 0, 100, 'EUR', 'succeeded', now());
