-- Goods have come: the jobs that look for them, of at most `most` orders per item, oldest first, are due at once, and one
-- that is looking at this moment will be when it puts itself off.  A hint only, they come by themselves; so what somebody
-- else has locked is skipped.  A row per job to ring.
-- unit: backorders_due   lane: order   rank: 54
-- head: tenant int4, most int4
-- line: item int8
-- answer: ordinal int8, job_id uuid
WITH h AS MATERIALIZED (
	SELECT * FROM @head
), l AS MATERIALIZED (
	SELECT DISTINCT @of(tenant) AS tenant, @of(most) AS most, l.* FROM @line
), waiting AS MATERIALIZED (
	SELECT l.n, j.id, j.lease_until IS NOT NULL AS running
	  FROM l
	 CROSS JOIN LATERAL (
		SELECT g.order_id
		  FROM order_line g
		 WHERE g.tenant = l.tenant AND g.item = l.item AND g.backordered > 0
		 ORDER BY g.tenant, g.item, g.order_id
		 LIMIT l.most
	 ) g
	  JOIN job j ON (j.tenant, j.order_id) = (l.tenant, g.order_id) AND j.kind = 'fulfillment.resource'
	   AND j.state <> 'done'
	   AND (j.state = 'ready' AND j.run_at > now() OR j.state = 'running' AND j.nudged_epoch <> j.epoch)
	   FOR UPDATE OF j SKIP LOCKED
), hurried AS (
	UPDATE job j SET run_at = CASE WHEN w.running THEN j.run_at ELSE now() END,
	                 nudged_epoch = CASE WHEN w.running THEN j.epoch ELSE j.nudged_epoch END
	  FROM (SELECT id, running, min(n) AS n FROM waiting GROUP BY id, running) w
	 WHERE j.id = w.id
	RETURNING w.n, j.id, w.running
)
SELECT n, id FROM hurried WHERE NOT running ORDER BY n
