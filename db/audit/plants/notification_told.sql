UPDATE job SET state = 'done', epoch = epoch + 1, lease_until = NULL, done_at = now()
 WHERE id = (SELECT id FROM notification WHERE state = 'queued' LIMIT 1);
