-- A tenant's recorded calls, the latest first, behind `before`: those that match what is asked for, by the narrowest of it,
-- for each has an index.  When more is asked, a call reads `scan` rows of that at most.  Of them come `most` hits, and always
-- the last row read, which says how many hits there were and whether there may be more behind it (full).  A time is a stretch
-- of the chain: rows are written in the order of their numbers, by the database's clock.
-- unit: call_list   lane: read   rank: 57
-- head: tenant int4, object text?, actor text?, reason text?, method text?, outcome text?, since timestamptz?, until timestamptz?
-- head: before int8, scan int4, most int4
-- answer: ordinal int8, seq int8, call_id uuid, at timestamptz, recorded_at timestamptz, actor text, role text, peer text
-- answer: method text, request_key text?, object text, status int4, reason text, calls int8, trace text, prev bytea, hash bytea
-- answer: hit bool, hits int8, full bool
WITH asked AS MATERIALIZED (SELECT * FROM @head),
h AS MATERIALIZED (
	SELECT n, tenant, object, actor, reason, method, outcome, most,
	       CASE WHEN object IS NOT NULL THEN 'object' WHEN actor IS NOT NULL THEN 'actor' WHEN reason IS NOT NULL THEN 'reason'
	            WHEN method IS NOT NULL THEN 'method' WHEN outcome = 'refused' THEN 'refused' ELSE 'all' END AS road,
	       CASE WHEN num_nonnulls(object, actor, reason, method, outcome) > 1 OR outcome IN ('ok', 'failed') THEN scan ELSE most
	       END AS looks,
	       CASE WHEN since IS NULL THEN 0
	            ELSE coalesce((SELECT r.seq FROM call_record r WHERE r.tenant = asked.tenant AND r.recorded_at >= asked.since
	                           ORDER BY r.tenant, r.recorded_at, r.seq LIMIT 1), 9223372036854775807) END AS from_seq,
	       CASE WHEN until IS NULL THEN before
	            ELSE least(before, (SELECT r.seq FROM call_record r WHERE r.tenant = asked.tenant AND r.recorded_at >= asked.until
	                                ORDER BY r.tenant, r.recorded_at, r.seq LIMIT 1)) END AS before_seq
	FROM asked
),
read AS MATERIALIZED (
	SELECT h.n, h.most, h.looks, d.*,
	       (h.object IS NULL OR d.object = h.object) AND (h.actor IS NULL OR d.actor = h.actor)
	       AND (h.reason IS NULL OR d.reason = h.reason) AND (h.method IS NULL OR d.method = h.method)
	       AND CASE h.outcome WHEN 'ok' THEN d.status = 0 WHEN 'refused' THEN d.status IN (7, 16)
	                          WHEN 'failed' THEN d.status NOT IN (0, 7, 16) ELSE true END AS hit
	FROM h CROSS JOIN LATERAL (
		(SELECT * FROM call_record r
		 WHERE h.road = 'object' AND r.tenant = h.tenant AND r.object = h.object AND r.seq >= h.from_seq AND r.seq < h.before_seq
		 ORDER BY r.tenant DESC, r.object DESC, r.seq DESC LIMIT h.looks)
		UNION ALL
		(SELECT * FROM call_record r
		 WHERE h.road = 'actor' AND r.tenant = h.tenant AND r.actor = h.actor AND r.seq >= h.from_seq AND r.seq < h.before_seq
		 ORDER BY r.tenant DESC, r.actor DESC, r.seq DESC LIMIT h.looks)
		UNION ALL
		(SELECT * FROM call_record r
		 WHERE h.road = 'reason' AND r.tenant = h.tenant AND r.reason = h.reason AND r.seq >= h.from_seq AND r.seq < h.before_seq
		 ORDER BY r.tenant DESC, r.reason DESC, r.seq DESC LIMIT h.looks)
		UNION ALL
		(SELECT * FROM call_record r
		 WHERE h.road = 'method' AND r.tenant = h.tenant AND r.method = h.method AND r.seq >= h.from_seq AND r.seq < h.before_seq
		 ORDER BY r.tenant DESC, r.method DESC, r.seq DESC LIMIT h.looks)
		UNION ALL
		(SELECT * FROM call_record r
		 WHERE h.road = 'refused' AND r.status IN (7, 16) AND r.tenant = h.tenant AND r.seq >= h.from_seq AND r.seq < h.before_seq
		 ORDER BY r.tenant DESC, r.seq DESC LIMIT h.looks)
		UNION ALL
		(SELECT * FROM call_record r
		 WHERE h.road = 'all' AND r.tenant = h.tenant AND r.seq >= h.from_seq AND r.seq < h.before_seq
		 ORDER BY r.tenant DESC, r.seq DESC LIMIT h.looks)) d
),
counted AS (
	SELECT *, count(*) FILTER (WHERE hit) OVER (PARTITION BY n ORDER BY seq DESC) AS hits,
	       count(*) OVER (PARTITION BY n ORDER BY seq DESC) AS place, count(*) OVER (PARTITION BY n) AS places
	FROM read
)
SELECT n, seq, id, at, recorded_at, actor, role, peer, method, request_key, object, status, reason, calls, trace, prev, hash,
       hit, hits, places = looks
FROM counted
WHERE (hit AND hits <= most) OR place = places
ORDER BY n, seq DESC
