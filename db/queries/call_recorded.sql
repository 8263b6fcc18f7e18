-- A call goes on record, at the end of its tenant's chain; one that is there already stays as it is (call_record_append()).
-- Locks the heads of the chains, in the order of tenants and behind all else that a batch locks.
-- unit: call_recorded   lane: job   rank: 99
-- head: tenant int4, call_id uuid, at timestamptz, actor text, role text, peer text, method text, request_key text?
-- head: object text, status int4, reason text, calls int8, trace text
-- answer: ordinal int8, recorded bool
WITH h AS MATERIALIZED (SELECT * FROM @head),
recorded AS (
	INSERT INTO call_record (tenant, id, at, actor, role, peer, method, request_key, object, status, reason, calls, trace)
	SELECT tenant, call_id, at, actor, role, peer, method, request_key, object, status, reason, calls, trace
	FROM h ORDER BY tenant, n
)
SELECT n, true FROM h ORDER BY n
