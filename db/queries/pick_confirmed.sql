-- Somebody has picked the goods of one fulfilment order; a detail row says how many units of a line there were, where none
-- does it was all of them.  The pick job, which nobody has taken, ends with it, and packing is next.
--
-- What was not on the shelf is backordered, and as much is taken off sale there until somebody has counted.  Its worth
-- leaves the group's payment and is uncovered until the order is sourced again, by a job of its own.  A group of which
-- nothing was there ends here, and its money is let go: it is authorized, else there would be nothing to pick.
-- Refusals, in this order: not_found, seen (this report), not_pickable, mistaken (a line or a number there is not).
-- A row per job that can be rung, and one without.
-- unit: pick_confirmed   lane: order   rank: 46
-- keys: id(order_id), request(tenant, request_method, request_key)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, fulfillment_id uuid, job_id uuid, request_method int2, request_key text
-- head: fingerprint bytea, actor text, pack_job uuid, void_job uuid, resource_job uuid, trace bytea?
-- head: locations text?
-- line: line int4, qty int8
-- answer: ordinal int8, outcome text, version int8?, job_id uuid?, kind text?
-- stock: job_id
WITH h AS MATERIALIZED (SELECT * FROM @head),
l AS MATERIALIZED (SELECT * FROM @line),
seen AS MATERIALIZED (
	SELECT h.n FROM h JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
),
asked AS MATERIALIZED (
	SELECT h.*, f.state = 'open' AND x.state = 'confirmed' AS pickable, f.location, p.fulfillment = 'manual' AS manual,
	       x.state, x.fulfillment_state, x.version + 1 AS version,
	       EXISTS (SELECT FROM job j
	                WHERE j.id = h.job_id AND j.kind = 'fulfillment.pick' AND j.state IN ('ready', 'parked')
	                  AND (j.tenant, j.order_id, j.group_no) = (h.tenant, h.order_id, h.group_no)) AS untaken
	FROM h
	JOIN fulfillment_order f ON (f.tenant, f.id) = (h.tenant, h.fulfillment_id)
	 AND (f.order_id, f.group_no) = (h.order_id, h.group_no) AND @located(f, h)
	JOIN location p ON (p.tenant, p.location) = (f.tenant, f.location)
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
),
planned AS MATERIALIZED (
	SELECT w.n, r.line, r.item, r.qty, g.unit_minor
	FROM asked w
	JOIN reservation r ON (r.tenant, r.order_id, r.group_no) = (w.tenant, w.order_id, w.group_no) AND r.state = 'committed'
	JOIN order_line g ON (g.tenant, g.order_id, g.line) = (r.tenant, r.order_id, r.line)
),
counted AS MATERIALIZED ( -- FULL: an inner join of two CTEs runs as a nested loop, n squared
	SELECT coalesce(p.n, l.n) AS n, p.line, p.item, p.unit_minor, coalesce(l.qty, p.qty) AS got,
	       p.qty - coalesce(l.qty, p.qty) AS missing
	FROM planned p FULL JOIN l ON (l.n, l.line) = (p.n, p.line)
),
judged AS MATERIALIZED (
	SELECT *, CASE WHEN n IN (SELECT n FROM seen) THEN 'seen'
	               WHEN NOT pickable OR NOT untaken THEN 'not_pickable'
	               WHEN n IN (SELECT n FROM counted WHERE line IS NULL OR got < 0 OR missing < 0) THEN 'mistaken'
	               ELSE 'picked' END AS outcome
	FROM asked
),
request_rows AS (
	INSERT INTO request (tenant, method, key, fingerprint, resource)
	SELECT tenant, request_method, request_key, fingerprint, fulfillment_id
	FROM judged WHERE outcome = 'picked'
	ORDER BY tenant, request_method, request_key
	ON CONFLICT DO NOTHING
	RETURNING resource
),
won AS MATERIALIZED (
	SELECT * FROM judged WHERE outcome = 'picked' AND (fulfillment_id IN (SELECT resource FROM request_rows)) IS TRUE
),
goods AS MATERIALIZED (
	SELECT w.n, w.tenant, w.order_id, w.group_no, w.location, w.job_id AS cause, c.line, c.item, c.got, c.missing, c.unit_minor
	FROM won w FULL JOIN counted c ON c.n = w.n
),
sums AS MATERIALIZED (
	SELECT n, sum(got) AS got, sum(missing) AS missing, sum(missing * unit_minor)::int8 AS worth,
	       string_agg(format(' %s of %s of line %s', got, got + missing, line), ',' ORDER BY line)
	       FILTER (WHERE missing > 0) AS what
	FROM goods WHERE tenant IS NOT NULL
	GROUP BY n
),
done AS MATERIALIZED (
	SELECT w.*, s.got = 0 AS nothing, s.missing > 0 AS short, s.worth, w.version AS seq, w.state AS from_state,
	       w.state AS to_state, CASE WHEN s.missing > 0 THEN 'pick_short' ELSE 'picked' END AS kind,
	       left(w.request_key || coalesce(':' || s.what, ''), 200) AS detail
	FROM won w FULL JOIN sums s ON s.n = w.n
),
confirmed AS (
	UPDATE job j SET state = 'done', epoch = j.epoch + 1, done_at = now()
	FROM done w WHERE j.id = w.job_id AND j.state IN ('ready', 'parked')
),
stepped AS (
	UPDATE orders x SET version = w.version, uncovered_minor = x.uncovered_minor + w.worth, updated_at = now(),
	                    fulfillment_state = CASE WHEN w.short AND x.fulfillment_state = 'allocated' THEN 'backordered'
	                                             ELSE x.fulfillment_state END
	FROM done w WHERE (x.tenant, x.id) = (w.tenant, w.order_id)
),
@event(done),
picked_orders AS (
	UPDATE fulfillment_order f SET state = CASE WHEN w.nothing THEN 'cancelled' ELSE 'picked' END, updated_at = now()
	FROM done w WHERE (f.tenant, f.id) = (w.tenant, w.fulfillment_id)
),
moved AS (
	INSERT INTO stock_movement (tenant, cause, n, order_id, line, item, location, from_bucket, to_bucket, qty)
	SELECT g.tenant, g.cause, row_number() OVER (PARTITION BY g.tenant, g.cause ORDER BY g.line, m.step),
	       CASE WHEN m.step < 3 THEN g.order_id END, CASE WHEN m.step < 3 THEN g.line END, g.item, g.location,
	       m.from_bucket, m.to_bucket, m.qty
	FROM goods g
	CROSS JOIN LATERAL (VALUES (1, 'allocated', 'picked', g.got), (2, 'allocated', 'backordered', g.missing),
	                           (3, 'on_hand', 'unavailable', g.missing)) m(step, from_bucket, to_bucket, qty)
	WHERE g.tenant IS NOT NULL AND m.qty > 0
),
lined AS (
	UPDATE order_line l SET allocated = l.allocated - g.got - g.missing, picked = l.picked + g.got,
	                        backordered = l.backordered + g.missing
	FROM goods g WHERE (l.tenant, l.order_id, l.line) = (g.tenant, g.order_id, g.line)
),
shrunk AS (
	UPDATE reservation r SET qty = CASE WHEN g.got > 0 THEN g.got ELSE r.qty END,
	                         state = CASE WHEN g.got > 0 THEN r.state ELSE 'released' END
	FROM goods g
	WHERE (r.tenant, r.order_id, r.line, r.group_no) = (g.tenant, g.order_id, g.line, g.group_no) AND g.missing > 0
),
lowered AS (
	UPDATE payment p SET amount_minor = p.amount_minor - w.worth
	FROM done w WHERE (p.tenant, p.order_id, p.group_no) = (w.tenant, w.order_id, w.group_no) AND w.short
),
searching AS MATERIALIZED ( -- one job looks for all that an order lacks
	SELECT w.n, j.id
	FROM done w
	JOIN job j ON (j.tenant, j.order_id) = (w.tenant, w.order_id) AND j.kind = 'fulfillment.resource'
	 AND j.state <> 'done' AND j.state IN ('ready', 'running')
	WHERE w.short
),
hurried AS (
	UPDATE job j SET run_at = least(j.run_at, now()) FROM searching s WHERE j.id = s.id AND j.state = 'ready'
),
queued AS MATERIALIZED (
	SELECT n, version, tenant, order_id, group_no, pack_job AS job_id, 'fulfillment.pack' AS kind, 1 AS priority,
	       CASE WHEN manual THEN 'parked' ELSE 'ready' END AS state
	FROM done WHERE NOT nothing
	UNION ALL
	SELECT n, version, tenant, order_id, group_no, void_job, 'payment.void', 0, 'ready' FROM done WHERE nothing
	UNION ALL
	SELECT n, version, tenant, order_id, 0::int2, resource_job, 'fulfillment.resource', 1, 'ready'
	FROM done WHERE short AND (n IN (SELECT n FROM searching)) IS NOT TRUE
),
job_rows AS (
	INSERT INTO job (id, tenant, order_id, group_no, kind, priority, state, trace)
	SELECT job_id, tenant, order_id, group_no, kind, priority, state, @of(trace) FROM queued l
)
SELECT n, outcome, version, NULL::uuid, NULL::text FROM done
UNION ALL
SELECT n, 'picked', version, job_id, kind FROM queued WHERE state = 'ready'
UNION ALL
SELECT n, CASE outcome WHEN 'picked' THEN 'seen' ELSE outcome END, NULL, NULL, NULL
FROM judged WHERE (n IN (SELECT n FROM done)) IS NOT TRUE
UNION ALL
SELECT n, 'not_found', NULL, NULL, NULL FROM h WHERE (n IN (SELECT n FROM asked)) IS NOT TRUE
ORDER BY 1
