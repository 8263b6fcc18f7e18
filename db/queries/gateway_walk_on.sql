-- Where the reading of the gateway's payments goes on; when no walk is under way, or one lies there since yesterday, at
-- the beginning of another over the last look_back_s.  One row.
-- unit: gateway_walk_on   lane: job   rank: 48
-- head: look_back_s int8
-- answer: ordinal int8, since timestamptz, until timestamptz, after text
WITH h AS MATERIALIZED (SELECT * FROM @head),
begun AS (
	INSERT INTO gateway_walk AS w (since, until)
	SELECT date_trunc('second', now() - look_back_s * interval '1 s'), date_trunc('second', now())
	FROM h ORDER BY n LIMIT 1
	    ON CONFLICT (one) DO UPDATE SET since = excluded.since, until = excluded.until, after = ''
	 WHERE w.until IS NULL OR w.until < now() - interval '1 day'
	RETURNING w.since, w.until, w.after
)
SELECT h.n, b.since, b.until, b.after FROM h CROSS JOIN begun b
UNION ALL
SELECT h.n, w.since, w.until, w.after FROM h CROSS JOIN gateway_walk w
WHERE w.until IS NOT NULL AND NOT EXISTS (SELECT FROM begun)
ORDER BY 1
