-- Calls that have begun and cannot be under way any more, the oldest first: no call lives for an hour.
-- unit: calls_lapsed   lane: read   rank: 58
-- head: most int4
-- answer: ordinal int8, tenant int4, call_id uuid, at timestamptz, actor text, role text, peer text, method text, request_key text?, trace text
WITH h AS MATERIALIZED (SELECT *, now() - interval '1 hour' AS before FROM @head)
SELECT h.n, d.tenant, d.id, d.at, d.actor, d.role, d.peer, d.method, d.request_key, d.trace
FROM h CROSS JOIN LATERAL (
	SELECT * FROM call_begun b WHERE b.since < h.before ORDER BY b.since LIMIT h.most) d
ORDER BY h.n, d.since, d.id
