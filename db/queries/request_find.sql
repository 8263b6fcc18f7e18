-- The request row of a request_id: what was asked then, and what came of it.
-- unit: request_find   lane: read   rank: 11
-- head: tenant int4, request_method int2, request_key text
-- answer: ordinal int8, fingerprint bytea, resource uuid
SELECT h.n, r.fingerprint, r.resource
  FROM @head
  JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
 ORDER BY h.n
