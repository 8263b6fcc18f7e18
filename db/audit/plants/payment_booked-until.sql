-- Money that was taken still has an end of its authorization: it would be renewed.
UPDATE payment SET authorized_until = now()
 WHERE (tenant, order_id, group_no) = (SELECT tenant, order_id, group_no FROM payment WHERE state = 'captured' LIMIT 1);
