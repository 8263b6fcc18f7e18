-- An order was placed by one request, and a request placed one order: by one request_id of its tenant, as long as those are
-- kept.
SELECT o.tenant, o.id, count(r.key) AS requests
  FROM orders o
  LEFT JOIN request r ON (r.tenant, r.resource) = (o.tenant, o.id) AND r.method = 1
 WHERE o.created_at > now() - interval '29 days'
 GROUP BY o.tenant, o.id
HAVING count(r.key) <> 1
