-- also: order_has_work
UPDATE job SET state = 'done', done_at = NULL, lease_until = NULL WHERE id = (SELECT id FROM job WHERE state = 'ready' LIMIT 1);
