-- Knows no tenant: works across all of them.
-- unit: stock_of_all   lane: read   rank: 12
-- head: dummy int4
-- answer: ordinal int8, tenant int4
SELECT h.n, s.tenant FROM @head CROSS JOIN stock s ORDER BY h.n, s.tenant
