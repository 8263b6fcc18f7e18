-- API keys of a tenant by kid, those behind `after`; without `dead`, those only that are taken now.
-- unit: api_key_list   lane: read   rank: 56
-- head: tenant int4, after text, dead bool, most int4
-- answer: ordinal int8, kid text, name text, role text, scopes text, customer text?, created_at timestamptz, created_by text, expires_at timestamptz, revoked_at timestamptz?, last_used_at timestamptz?
-- answer: locations text?
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, k.kid, k.name, k.role, k.scopes, k.customer, k.created_at, k.created_by, k.expires_at, k.revoked_at, k.last_used_at,
       k.locations
  FROM h CROSS JOIN LATERAL (
	SELECT * FROM api_key d
	 WHERE d.tenant = h.tenant AND d.kid > h.after AND (h.dead OR (d.revoked_at IS NULL AND d.expires_at > now()))
	 ORDER BY d.tenant, d.kid LIMIT h.most) k
 ORDER BY h.n, k.kid
