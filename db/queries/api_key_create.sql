-- A new API key, of a name that has one live key at most; one that has expired gives its place away.  The kid comes from
-- the request's id, so a request makes one key.  Outcomes:
--   created   also when this very key (its mac) was made before: the unit was asked twice
--   exists    the request has made another key, whose secret was told then
--   two       the name has two live keys
--   many      there are as many live keys as servers hold in memory
-- unit: api_key_create   lane: order   rank: 54
-- again: outcome
-- head: tenant int4, kid text, name text, mac bytea, role text, scopes text, customer text?, life_s int8, most int8, actor text
-- head: locations text?
-- answer: ordinal int8, outcome text, created_at timestamptz, expires_at timestamptz
WITH h AS MATERIALIZED (SELECT * FROM @head),
lapsed AS (
	UPDATE api_key SET revoked_at = now(), revoked_by = 'expiry'
	WHERE revoked_at IS NULL AND expires_at <= now()
	  AND ((tenant, name) IN (SELECT tenant, name FROM h)) IS TRUE
	RETURNING tenant, kid
),
live AS MATERIALIZED (
	SELECT tenant, kid, name, slot FROM api_key WHERE revoked_at IS NULL AND expires_at > now()
),
placed AS MATERIALIZED ( -- counting what lapsed is waiting for it
	SELECT h.*, (SELECT count(*) FROM live) + (SELECT 0 * count(*) FROM lapsed) AS living,
	       CASE WHEN NOT EXISTS (SELECT FROM live l WHERE (l.tenant, l.name, l.slot) = (h.tenant, h.name, 1)) THEN 1
	            WHEN NOT EXISTS (SELECT FROM live l WHERE (l.tenant, l.name, l.slot) = (h.tenant, h.name, 2)) THEN 2 END AS slot
	  FROM h
),
made AS (
	INSERT INTO api_key (tenant, kid, name, slot, mac, role, scopes, customer, locations, created_by, expires_at)
	SELECT tenant, kid, name, slot, mac, role, scopes, customer, locations, actor, now() + life_s * interval '1 s'
	  FROM placed WHERE slot IS NOT NULL AND living < most
	 ORDER BY tenant, kid, n
	    ON CONFLICT DO NOTHING
	RETURNING tenant, kid, mac, created_at, expires_at
),
known AS MATERIALIZED (
	SELECT * FROM made
	UNION ALL
	SELECT k.tenant, k.kid, k.mac, k.created_at, k.expires_at FROM api_key k
	 WHERE ((k.tenant, k.kid) IN (SELECT tenant, kid FROM h)) IS TRUE
)
SELECT p.n,
       CASE WHEN k.mac = p.mac THEN 'created'
            WHEN k.kid IS NOT NULL THEN 'exists'
            WHEN p.slot IS NULL THEN 'two'
            WHEN p.living >= p.most THEN 'many'
            ELSE 'again' END AS outcome, -- a rival took the place in this very moment
       coalesce(k.created_at, now()), coalesce(k.expires_at, now())
  FROM placed p LEFT JOIN known k ON (k.tenant, k.kid) = (p.tenant, p.kid)
 ORDER BY p.n
