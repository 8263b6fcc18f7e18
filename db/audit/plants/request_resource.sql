UPDATE request SET resource = gen_random_uuid() WHERE key = (SELECT key FROM request LIMIT 1);
