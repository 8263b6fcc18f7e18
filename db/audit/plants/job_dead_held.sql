-- A job is given up and nobody is told.
UPDATE job SET state = 'dead' WHERE id = (SELECT id FROM job WHERE state = 'ready' LIMIT 1);
