-- The inbox forgets the oldest events, received keep_s ago and longer, at most `most`.  Answers how many.
-- unit: webhooks_forget   lane: job   rank: 47
-- head: keep_s int8, most int4
-- answer: ordinal int8, forgotten int8
WITH h AS MATERIALIZED (SELECT * FROM @head),
old AS MATERIALIZED (
	SELECT h.n, e.* FROM h CROSS JOIN LATERAL (
		SELECT e.tenant, e.provider, e.event_id FROM webhook_event e
		WHERE e.received_at < now() - h.keep_s * interval '1 s'
		ORDER BY e.received_at, e.event_id LIMIT h.most FOR UPDATE) e
),
gone AS (
	DELETE FROM webhook_event e USING old o
	WHERE (e.tenant, e.provider, e.event_id) = (o.tenant, o.provider, o.event_id)
	RETURNING o.n
)
SELECT n, count(*) FROM gone GROUP BY n ORDER BY n
