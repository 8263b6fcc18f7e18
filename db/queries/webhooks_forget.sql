-- The inbox forgets the oldest events, received keep_s ago and longer, at most `most`.  Answers how many.
-- Rows of the inbox never change, so their places (ctid) hold while they are locked.
-- unit: webhooks_forget   lane: job   rank: 47
-- head: keep_s int8, most int4
-- answer: ordinal int8, forgotten int8
WITH h AS MATERIALIZED (SELECT *, now() - keep_s * interval '1 s' AS before FROM @head),
old AS MATERIALIZED (
	SELECT h.n, e.place FROM h CROSS JOIN LATERAL (
		SELECT e.ctid AS place FROM webhook_event e
		WHERE e.received_at < h.before
		ORDER BY e.received_at, e.event_id LIMIT h.most FOR UPDATE) e
),
gone AS (
	DELETE FROM webhook_event WHERE ctid = ANY (ARRAY(SELECT place FROM old))
)
SELECT n, count(*) FROM old GROUP BY n ORDER BY n
