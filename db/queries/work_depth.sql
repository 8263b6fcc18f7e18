-- How much work waits, for the gauges: a row per role of due and of dead jobs, then one per reason for which orders wait
-- for a person.  Looks at no more than `most` rows of each, the oldest: a backlog of a million is then said to be `most`.
-- unit: work_depth   lane: read   rank: 42
-- head: most int4
-- answer: ordinal int8, what text, name text, number int8, oldest_ms int8
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, d.what, d.name, d.number, d.oldest_ms FROM h CROSS JOIN LATERAL (
	SELECT 'ready' AS what, split_part(j.kind, '.', 1) AS name, count(*) AS number,
	       (extract(epoch FROM now() - min(j.run_at)) * 1000)::int8 AS oldest_ms
	FROM (SELECT kind, run_at FROM job WHERE state = 'ready' AND run_at <= now() ORDER BY run_at LIMIT h.most) j
	GROUP BY 2
	UNION ALL
	SELECT 'dead', split_part(j.kind, '.', 1), count(*), (extract(epoch FROM now() - min(j.created_at)) * 1000)::int8
	FROM (SELECT kind, created_at FROM job WHERE state = 'dead' AND created_at <= now() ORDER BY created_at LIMIT h.most) j
	GROUP BY 2
	UNION ALL
	SELECT 'hold', d.reason, count(*), (extract(epoch FROM now() - min(d.opened_at)) * 1000)::int8
	FROM (SELECT reason, opened_at FROM order_hold WHERE released_at IS NULL AND opened_at <= now() ORDER BY opened_at LIMIT h.most) d
	GROUP BY 2
) d
ORDER BY h.n, d.what, d.name
