DELETE FROM request WHERE (tenant, method, key) = (SELECT tenant, method, key FROM request WHERE method = 1 LIMIT 1);
