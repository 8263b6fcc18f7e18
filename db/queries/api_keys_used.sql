-- API keys that were used of late; written once an hour at most for each.
-- unit: api_keys_used   lane: order   rank: 58
-- head: dummy int4
-- line: line int4, tenant int4, kid text
-- answer: ordinal int8, written int8
WITH h AS MATERIALIZED (SELECT * FROM @head),
l AS MATERIALIZED (SELECT * FROM @line),
due AS MATERIALIZED (
	SELECT tenant, kid FROM api_key
	 WHERE ((tenant, kid) IN (SELECT tenant, kid FROM l)) IS TRUE
	   AND (last_used_at IS NULL OR last_used_at < now() - interval '1 h')
	 ORDER BY tenant, kid FOR UPDATE SKIP LOCKED
),
written AS (
	UPDATE api_key SET last_used_at = now()
	 WHERE ((tenant, kid) IN (SELECT tenant, kid FROM due)) IS TRUE
	RETURNING kid
)
SELECT h.n, (SELECT count(*) FROM written) FROM h ORDER BY h.n
