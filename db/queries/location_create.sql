-- A new place that holds stock and ships.  A code that is taken is answered `exists`, with the place that has it (0 when
-- that one has only just been created elsewhere); nothing is changed then.
-- unit: location_create   lane: order   rank: 51
-- head: tenant int4, code text, name text, priority int4, latitude_e6 int4, longitude_e6 int4, street text, city text, region text, postal_code text, country text
-- answer: ordinal int8, outcome text, location int4
WITH h AS MATERIALIZED (
	SELECT * FROM @head
), first AS (
	SELECT DISTINCT ON (tenant, code) * FROM h ORDER BY tenant, code, n
), created AS (
	INSERT INTO location (tenant, code, name, priority, latitude_e6, longitude_e6, street, city, region, postal_code, country)
	SELECT tenant, code, name, priority, latitude_e6, longitude_e6, street, city, region, postal_code, country
	  FROM first
	 ORDER BY tenant, code
	    ON CONFLICT (tenant, code) DO NOTHING
	RETURNING tenant, code, location
)
SELECT h.n,
       CASE WHEN c.location IS NOT NULL AND h.n = min(h.n) OVER (PARTITION BY h.tenant, h.code) THEN 'created'
            ELSE 'exists' END AS outcome,
       coalesce(c.location, p.location, 0)
  FROM h
  LEFT JOIN created c ON (c.tenant, c.code) = (h.tenant, h.code)
  LEFT JOIN location p ON (p.tenant, p.code) = (h.tenant, h.code)
 ORDER BY h.n
