INSERT INTO request (tenant, method, key, fingerprint, resource)
SELECT tenant, method, key || ' again', fingerprint, resource FROM request WHERE method = 1 LIMIT 1;
