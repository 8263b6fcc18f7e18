-- also: payment_covers
UPDATE payment SET amount_minor = amount_minor + 1
 WHERE (tenant, order_id, group_no) = (SELECT tenant, order_id, group_no FROM payment LIMIT 1);
