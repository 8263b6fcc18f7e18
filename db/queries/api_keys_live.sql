-- All API keys that are taken now, of all tenants, unless the version is the one already `known`; then no rows.  Else at
-- least one, and its kid is absent when there is no key.
-- unit: api_keys_live   lane: read   rank: 57
-- head: known int8, most int4
-- answer: ordinal int8, version int8, tenant int4, kid text?, name text?, mac bytea?, role text?, scopes text?, customer text?, expires_at timestamptz?, locations text?
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, c.version, coalesce(k.tenant, 0), k.kid, k.name, k.mac, k.role, k.scopes, k.customer, k.expires_at, k.locations
  FROM h JOIN api_key_change c ON c.version <> h.known
  LEFT JOIN LATERAL (
	SELECT * FROM api_key d
	 WHERE d.revoked_at IS NULL AND d.expires_at > now()
	 ORDER BY d.tenant, d.name, d.slot LIMIT h.most) k ON true
 ORDER BY h.n, k.tenant, k.kid
