-- The numbers that fence Redis, all of them.
-- unit: generations   lane: read   rank: 42
-- head: dummy int4
-- answer: ordinal int8, name text, value int8
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, g.name, g.value FROM h CROSS JOIN generation g ORDER BY h.n, g.name
