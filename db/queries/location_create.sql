-- A new place that holds stock and ships.  The same place asked for again is `created` too; a code that another place has
-- is answered `exists`, and nothing is changed.  location is 0 when a rival has made it in this very moment.
-- unit: location_create   lane: order   rank: 51
-- head: tenant int4, code text, name text, priority int4, latitude_e6 int4, longitude_e6 int4, street text, city text, region text, postal_code text, country text, fulfillment text
-- answer: ordinal int8, outcome text, location int4
WITH h AS MATERIALIZED (
	SELECT * FROM @head
), first AS (
	SELECT DISTINCT ON (tenant, code) * FROM h ORDER BY tenant, code, n
), created AS (
	INSERT INTO location (tenant, code, name, priority, latitude_e6, longitude_e6, street, city, region, postal_code, country,
	                      fulfillment)
	SELECT tenant, code, name, priority, latitude_e6, longitude_e6, street, city, region, postal_code, country, fulfillment
	  FROM first
	 ORDER BY tenant, code
	    ON CONFLICT (tenant, code) DO NOTHING
	RETURNING *
), place AS (
	SELECT * FROM created
	UNION ALL
	SELECT p.* FROM first f JOIN location p ON (p.tenant, p.code) = (f.tenant, f.code)
)
SELECT h.n,
       CASE WHEN (p.name, p.priority, p.latitude_e6, p.longitude_e6, p.street, p.city, p.region, p.postal_code, p.country,
                  p.fulfillment)
               = (h.name, h.priority, h.latitude_e6, h.longitude_e6, h.street, h.city, h.region, h.postal_code, h.country,
                  h.fulfillment)
            THEN 'created' ELSE 'exists' END AS outcome,
       coalesce(p.location, 0)
  FROM h
  LEFT JOIN place p ON (p.tenant, p.code) = (h.tenant, h.code)
 ORDER BY h.n
