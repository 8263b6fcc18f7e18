-- also: payment_covers
-- Units are not paid for, and a payment is for them all the same.
UPDATE orders SET uncovered_minor = 1 WHERE (tenant, id) = (SELECT tenant, id FROM orders LIMIT 1);
