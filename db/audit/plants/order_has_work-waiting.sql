-- A declined order that did not ask to wait for another method waits.
UPDATE payment SET state = 'declined'
 WHERE (tenant, order_id, group_no) = (SELECT p.tenant, p.order_id, p.group_no FROM payment p
        JOIN orders o ON (o.tenant, o.id) = (p.tenant, p.order_id) WHERE o.state = 'pending' LIMIT 1);
