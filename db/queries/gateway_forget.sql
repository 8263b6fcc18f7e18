-- The gateway's payments that were not seen for keep_s are forgotten, at most `most`.  Answers how many.
-- unit: gateway_forget   lane: job   rank: 50
-- head: keep_s int8, most int4
-- answer: ordinal int8, forgotten int8
WITH h AS MATERIALIZED (SELECT *, now() - keep_s * interval '1 s' AS before FROM @head),
old AS MATERIALIZED (
	SELECT h.n, g.id FROM h CROSS JOIN LATERAL (
		SELECT g.id FROM gateway_payment g
		WHERE g.seen_at < h.before
		ORDER BY g.seen_at LIMIT h.most FOR UPDATE SKIP LOCKED) g
),
gone AS (
	DELETE FROM gateway_payment WHERE id = ANY (ARRAY(SELECT id FROM old))
)
SELECT n, count(*) FROM old GROUP BY n ORDER BY n
