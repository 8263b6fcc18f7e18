-- What a request_id is said to have made is there.
SELECT r.tenant, r.method, r.key, r.resource
  FROM request r
 WHERE NOT EXISTS (SELECT FROM orders o WHERE (o.tenant, o.id) = (r.tenant, r.resource))
   AND NOT EXISTS (SELECT FROM shipment s WHERE (s.tenant, s.id) = (r.tenant, r.resource))
   AND NOT EXISTS (SELECT FROM stock_document d WHERE (d.tenant, d.id) = (r.tenant, r.resource))
   AND NOT EXISTS (SELECT FROM fulfillment_order f WHERE (f.tenant, f.id) = (r.tenant, r.resource))
   AND NOT EXISTS (SELECT FROM operator_action a WHERE (a.tenant, a.id) = (r.tenant, r.resource))
