-- The queues no job of which is to be taken: workers ask twice a second.
-- unit: queues_paused   lane: read   rank: 53
-- head: dummy int4
-- answer: ordinal int8, role text
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, q.role FROM h CROSS JOIN queue q WHERE q.paused ORDER BY h.n, q.role
