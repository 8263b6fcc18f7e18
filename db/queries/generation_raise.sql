-- One number that fences Redis goes up, if it is still what the asker saw.  No row: somebody else did it.
-- unit: generation_raise   lane: job   rank: 90
-- head: name text, expected int8
-- answer: ordinal int8, value int8
WITH h AS MATERIALIZED (SELECT * FROM @head),
raised AS (
	UPDATE generation g SET value = g.value + 1
	FROM h WHERE g.name = h.name AND g.value = h.expected
	RETURNING h.n, g.value
)
SELECT n, value FROM raised ORDER BY n
