-- A queue is paused or resumed.  One that is so already stays so since then, with the new reason.
-- Refusal: seen (request_key).
-- unit: queue_set   lane: order   rank: 57
-- keys: request(tenant, request_method, request_key)
-- head: tenant int4, request_method int2, request_key text, fingerprint bytea, action_id uuid, role text, paused bool
-- head: reason text, actor text
-- answer: ordinal int8, outcome text
WITH h AS MATERIALIZED (SELECT * FROM @head),
seen AS MATERIALIZED (
	SELECT h.n FROM h JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
),
request_rows AS (
	INSERT INTO request (tenant, method, key, fingerprint, resource)
	SELECT tenant, request_method, request_key, fingerprint, action_id
	FROM h WHERE (n IN (SELECT n FROM seen)) IS NOT TRUE
	ORDER BY tenant, request_method, request_key
	ON CONFLICT DO NOTHING
	RETURNING resource
),
w AS MATERIALIZED (SELECT * FROM h WHERE (action_id IN (SELECT resource FROM request_rows)) IS TRUE),
actions AS (
	INSERT INTO operator_action (tenant, id, action, subject, reason, actor)
	SELECT tenant, action_id, CASE WHEN paused THEN 'pause_queue' ELSE 'resume_queue' END, role, reason, actor FROM w
),
latest AS (SELECT DISTINCT ON (role) * FROM w ORDER BY role, n DESC),
changed AS (
	UPDATE queue q SET paused = w.paused, reason = w.reason, changed_by = w.actor,
	                   changed_at = CASE WHEN q.paused = w.paused AND q.changed_by <> '' THEN q.changed_at ELSE now() END
	FROM latest w WHERE q.role = w.role
)
SELECT n, CASE WHEN (n IN (SELECT n FROM w)) IS TRUE THEN 'set' ELSE 'seen' END FROM h ORDER BY n
