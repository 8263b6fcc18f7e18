-- A tenant's recorded calls, the latest first, behind `before`.
-- unit: call_list   lane: read   rank: 57
-- head: tenant int4, before int8, most int4
-- answer: ordinal int8, seq int8, call_id uuid, at timestamptz, recorded_at timestamptz, actor text, role text, peer text
-- answer: method text, request_key text?, object text, status int4, reason text, calls int8, trace text, prev bytea, hash bytea
WITH h AS MATERIALIZED (SELECT * FROM @head)
SELECT h.n, r.seq, r.id, r.at, r.recorded_at, r.actor, r.role, r.peer, r.method, r.request_key, r.object, r.status, r.reason,
       r.calls, r.trace, r.prev, r.hash
FROM h CROSS JOIN LATERAL (
	SELECT * FROM call_record d WHERE d.tenant = h.tenant AND d.seq < h.before
	ORDER BY d.tenant DESC, d.seq DESC LIMIT h.most) r
ORDER BY h.n, r.seq DESC
