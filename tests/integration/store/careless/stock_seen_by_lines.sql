-- The tenants are in the lines, as of watched orders, and forgotten.
-- unit: stock_seen_by_lines   lane: read   rank: 11
-- head: dummy int4
-- line: tenant int4
-- answer: ordinal int8, tenant int4
WITH h AS MATERIALIZED (SELECT * FROM @head),
l AS MATERIALIZED (SELECT * FROM @line)
SELECT h.n, s.tenant FROM h CROSS JOIN stock s WHERE (SELECT count(*) FROM l) > 0 ORDER BY h.n, s.tenant
