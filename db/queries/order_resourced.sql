-- An order that lacks goods is sourced again: what is there is taken into new shipment groups, each with a payment of its
-- own; for the rest it is held, and the job comes back in delay_ms with its attempts forgotten.
-- A detail row is a share: what a line takes from a location, for a new group counted from 1; job_id is set on the first
-- share of a group, and starts its payment.  `backordered` is how many units the caller saw missing; `more`: it has not
-- looked for all of them yet, so the order is not held.
-- sourced: all of it; the job is done.  partly, waiting: some, nothing.  lost: what the caller saw is not so any more, ask
-- what is there and come again.  moot: nothing is missing any more.  A row per job to ring, and one without.
-- unit: order_resourced   lane: order   rank: 48
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, cause uuid, backordered int8, more bool, delay_ms int8
-- line: line int4, item int8, location int4, qty int8, group_no int2, job_id uuid?
-- answer: ordinal int8, outcome text, version int8?, job_id uuid?, kind text?
-- stock: cause
-- again: outcome
WITH h AS MATERIALIZED (SELECT * FROM @head),
l AS MATERIALIZED (SELECT @of(tenant) AS tenant, @of(order_id) AS order_id, l.* FROM @line),
@hold_job(h),
priced AS MATERIALIZED (
	SELECT l.*, g.unit_minor, g.backordered
	FROM l LEFT JOIN order_line g ON (g.tenant, g.order_id, g.line) = (l.tenant, l.order_id, l.line)
),
excess AS MATERIALIZED (
	SELECT n FROM priced GROUP BY n, line, backordered HAVING sum(qty) > coalesce(backordered, 0)
),
need AS MATERIALIZED ( -- an item on two lines counts once, summed
	SELECT n, tenant, item, location, sum(qty) AS qty FROM l WHERE (n IN (SELECT n FROM held)) IS TRUE GROUP BY 1, 2, 3, 4
),
offered AS MATERIALIZED (
	SELECT d.n, d.qty <= coalesce(s.on_hand - s.reserved - s.allocated - s.unavailable, 0) AS fits,
	       row_number() OVER (PARTITION BY d.tenant, d.item, d.location ORDER BY d.n) AS place
	FROM need d LEFT JOIN stock s ON (s.tenant, s.item, s.location) = (d.tenant, d.item, d.location)
),
taken AS MATERIALIZED (SELECT n, sum(qty)::int8 AS qty, sum(qty * unit_minor)::int8 AS worth FROM priced GROUP BY n),
seen AS MATERIALIZED (
	SELECT w.*, x.state, x.payment_state, x.fulfillment_state, x.version, x.groups, b.qty AS missing,
	       EXISTS (SELECT FROM order_hold d
	                WHERE (d.tenant, d.order_id, d.group_no, d.reason) = (w.tenant, w.order_id, w.group_no, 'inventory')
	                  AND d.released_at IS NULL) AS on_hold
	FROM held w
	JOIN orders x ON (x.tenant, x.id) = (w.tenant, w.order_id)
	CROSS JOIN LATERAL (
		SELECT sum(g.backordered)::int8 AS qty FROM order_line g WHERE (g.tenant, g.order_id) = (w.tenant, w.order_id)) b
),
judged AS MATERIALIZED (
	SELECT s.*, coalesce(t.qty, 0) AS taken, coalesce(t.worth, 0) AS worth,
	       CASE WHEN s.state <> 'confirmed' OR s.missing = 0 THEN 'moot'
	            WHEN s.missing <> s.backordered OR s.n IN (SELECT n FROM excess) THEN 'lost'
	            WHEN s.n IN (SELECT n FROM offered WHERE place > 1) THEN 'again'
	            WHEN s.n IN (SELECT n FROM offered WHERE NOT fits) THEN 'lost'
	            WHEN t.n IS NULL THEN 'waiting' WHEN t.qty < s.missing THEN 'partly' ELSE 'sourced' END AS outcome
	FROM seen s FULL JOIN taken t ON t.n = s.n
),
ended AS MATERIALIZED (SELECT * FROM judged WHERE outcome IN ('moot', 'sourced')),
staying AS MATERIALIZED (SELECT * FROM judged WHERE outcome IN ('partly', 'waiting')),
@settle_job(ended),
@retry_job(staying, 0, NULL),
moved_on AS MATERIALIZED (SELECT * FROM settled UNION ALL SELECT * FROM retried),
won AS MATERIALIZED (
	SELECT w.*, outcome IN ('partly', 'sourced') AS takes, outcome IN ('partly', 'waiting') AND NOT more AND NOT on_hold AS delays,
	       format('units missing: %s', missing - taken) AS what
	FROM moved_on w
),
shares AS MATERIALIZED (
	SELECT w.n, w.outcome, w.tenant, w.order_id, w.cause, p.line, p.item, p.location, p.qty, p.unit_minor, p.job_id,
	       (w.groups + p.group_no)::int2 AS group_no
	FROM won w FULL JOIN priced p ON p.n = w.n AND w.takes
),
own_shares AS MATERIALIZED (SELECT * FROM shares WHERE tenant IS NOT NULL AND line IS NOT NULL),
@move_units(own_shares, backordered, reserved),
reserved AS (
	INSERT INTO reservation (tenant, order_id, line, location, item, group_no, qty, state)
	SELECT tenant, order_id, line, location, item, group_no, qty, 'held' FROM own_shares
),
new_groups AS MATERIALIZED (
	SELECT n, outcome, tenant, order_id, group_no, min(location) AS location, sum(qty * unit_minor)::int8 AS amount_minor,
	       (array_agg(job_id) FILTER (WHERE job_id IS NOT NULL))[1] AS job_id
	FROM own_shares GROUP BY n, outcome, tenant, order_id, group_no
),
payment_rows AS (
	INSERT INTO payment (tenant, order_id, group_no, location, state, amount_minor, currency, method_token, fallback_methods)
	SELECT g.tenant, g.order_id, g.group_no, g.location, 'pending', g.amount_minor, p.currency, p.method_token,
	       p.fallback_methods
	FROM new_groups g JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (g.tenant, g.order_id, 1)
),
job_rows AS (
	INSERT INTO job (id, tenant, order_id, group_no, kind)
	SELECT job_id, tenant, order_id, group_no, 'payment.authorize' FROM new_groups
),
told AS MATERIALIZED (
	SELECT tenant, order_id, version + 1 AS seq, 'resourced' AS kind, state AS from_state, state AS to_state, group_no,
	       format('%s of %s missing units', taken, missing) AS detail, 'fulfillment' AS actor
	FROM won WHERE takes
	UNION ALL
	SELECT tenant, order_id, version + takes::int + 1, 'delayed', state, state, group_no, what, 'fulfillment'
	FROM won WHERE delays
),
@event(told),
paying AS MATERIALIZED ( -- the new payments are pending
	SELECT w.n, @payment_state(p.state) AS payment_state
	FROM won w
	CROSS JOIN LATERAL (
		SELECT q.state FROM payment q WHERE (q.tenant, q.order_id) = (w.tenant, w.order_id)
		UNION ALL
		SELECT 'pending') p
	WHERE w.takes
	GROUP BY w.n
),
after AS MATERIALIZED (
	SELECT w.*, coalesce(p.payment_state, w.payment_state) AS payment_state_now FROM won w FULL JOIN paying p ON p.n = w.n
),
stepped AS (
	UPDATE orders x SET version = w.version + w.takes::int + w.delays::int, updated_at = now(),
	                    payment_state = w.payment_state_now, uncovered_minor = x.uncovered_minor - w.worth,
	                    groups = x.groups + coalesce((SELECT count(*) FROM new_groups g WHERE g.n = w.n), 0),
	                    fulfillment_state = CASE WHEN w.outcome = 'sourced' AND x.fulfillment_state = 'backordered'
	                                             THEN 'allocated' ELSE x.fulfillment_state END
	FROM after w WHERE (x.tenant, x.id) = (w.tenant, w.order_id) AND (w.takes OR w.delays)
),
opening AS MATERIALIZED (
	SELECT tenant, order_id, group_no, 'inventory' AS reason, what AS detail FROM won WHERE delays OR (on_hold AND outcome = 'partly')
),
@hold_open(opening),
@hold_release(settled, inventory)
SELECT n, outcome, CASE WHEN outcome <> 'lost' AND outcome <> 'again'
                        THEN version + (outcome IN ('partly', 'sourced'))::int
                             + (outcome IN ('partly', 'waiting') AND NOT more AND NOT on_hold)::int END,
       NULL::uuid, NULL::text
FROM judged WHERE outcome IS NOT NULL AND n IN (SELECT n FROM held)
UNION ALL
SELECT g.n, g.outcome, NULL, g.job_id, 'payment.authorize' FROM new_groups g
ORDER BY 1
