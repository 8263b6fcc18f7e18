-- A call that is put on record begins: from now on it will be, whatever becomes of it.
-- unit: call_begun   lane: job   rank: 98
-- head: tenant int4, call_id uuid, at timestamptz, actor text, role text, peer text, method text, request_key text?, trace text
-- answer: ordinal int8, begun bool
WITH h AS MATERIALIZED (SELECT * FROM @head),
begun AS (
	INSERT INTO call_begun (tenant, id, at, actor, role, peer, method, request_key, trace)
	SELECT tenant, call_id, at, actor, role, peer, method, request_key, trace FROM h ORDER BY tenant, call_id
	ON CONFLICT DO NOTHING
)
SELECT n, true FROM h ORDER BY n
