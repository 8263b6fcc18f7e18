-- An API key is no longer taken; one that was revoked before stays as it is.  Outcomes: revoked, or none (the tenant has
-- no key of that kid).
-- unit: api_key_revoke   lane: order   rank: 55
-- again: outcome
-- head: tenant int4, kid text, actor text
-- answer: ordinal int8, outcome text, revoked_at timestamptz?
WITH h AS MATERIALIZED (SELECT * FROM @head),
revoked AS (
	UPDATE api_key k SET revoked_at = now(), revoked_by = f.actor
	  FROM (SELECT DISTINCT ON (tenant, kid) * FROM h ORDER BY tenant, kid, n) f
	 WHERE (k.tenant, k.kid) = (f.tenant, f.kid) AND k.revoked_at IS NULL
	RETURNING k.tenant, k.kid, k.revoked_at
),
known AS MATERIALIZED (
	SELECT k.tenant, k.kid, coalesce(r.revoked_at, k.revoked_at) AS revoked_at
	  FROM api_key k LEFT JOIN revoked r ON (r.tenant, r.kid) = (k.tenant, k.kid)
	 WHERE ((k.tenant, k.kid) IN (SELECT tenant, kid FROM h)) IS TRUE
)
SELECT h.n,
       CASE WHEN k.kid IS NULL THEN 'none' WHEN k.revoked_at IS NULL THEN 'again' ELSE 'revoked' END AS outcome, -- again: a rival was here
       k.revoked_at
  FROM h LEFT JOIN known k ON (k.tenant, k.kid) = (h.tenant, h.kid)
 ORDER BY h.n
