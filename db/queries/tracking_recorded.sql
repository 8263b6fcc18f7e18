-- What the carrier said about a parcel: its scans are kept, a new state is an event.  Delivered ends the job and, with
-- the order's last parcel, the order; otherwise the job comes back in delay_ms with its attempts forgotten.
-- A detail row is one scan; the same scan told again is no new row.
-- unit: tracking_recorded   lane: job   rank: 45
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, shipment_id uuid, tracking_state text
-- head: delivered bool, delay_ms int8
-- line: at timestamptz, status text, detail text, message text, city text
-- answer: ordinal int8, outcome text, version int8
WITH h AS MATERIALIZED (SELECT * FROM @head),
l AS MATERIALIZED (SELECT * FROM @line),
fact AS MATERIALIZED (
	SELECT h.*, o.outcome, c.changed, x.state AS from_state, x.payment_state,
	       CASE o.outcome WHEN 'completed' THEN 'completed' ELSE x.state END AS to_state,
	       CASE WHEN o.outcome = 'waiting' THEN x.fulfillment_state WHEN line.travelling = goods.qty THEN 'delivered'
	            ELSE 'partially_delivered' END AS fulfillment_state,
	       x.version + 1 AS seq,
	       x.version + CASE WHEN o.outcome = 'completed' THEN 2 WHEN c.changed THEN 1 ELSE 0 END AS version
	FROM h
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	JOIN shipment s ON (s.tenant, s.id) = (h.tenant, h.shipment_id)
	 AND (s.order_id, s.group_no) = (h.order_id, h.group_no) AND s.state = 'handed_over'
	CROSS JOIN LATERAL (
		SELECT sum(l.ordered - l.delivered - l.cancelled - l.returned) AS travelling
		FROM order_line l WHERE (l.tenant, l.order_id) = (h.tenant, h.order_id)) line
	CROSS JOIN LATERAL (
		SELECT sum(r.qty) AS qty FROM reservation r
		WHERE (r.tenant, r.order_id) = (h.tenant, h.order_id) AND r.group_no = h.group_no AND r.state = 'shipped') goods
	CROSS JOIN LATERAL (SELECT h.delivered OR s.tracking_state IS DISTINCT FROM h.tracking_state AS changed) c
	CROSS JOIN LATERAL (SELECT CASE WHEN NOT h.delivered THEN 'waiting'
	                                WHEN x.state = 'confirmed' AND line.travelling = goods.qty THEN 'completed'
	                                ELSE 'delivered' END AS outcome) o
),
arrived AS MATERIALIZED (SELECT * FROM fact WHERE delivered),
travelling AS MATERIALIZED (SELECT * FROM fact WHERE NOT delivered),
@settle_job(arrived),
@retry_job(travelling, 0, NULL),
recorded AS MATERIALIZED (SELECT * FROM settled UNION ALL SELECT * FROM retried),
scanned AS MATERIALIZED ( -- FULL: an inner join of two CTEs runs as a nested loop, n squared
	SELECT w.tenant, w.shipment_id, l.at, l.status, l.detail, l.message, l.city FROM recorded w FULL JOIN l ON l.n = w.n
),
scans AS (
	INSERT INTO shipment_scan (tenant, shipment_id, at, status, detail, message, city)
	SELECT * FROM scanned WHERE tenant IS NOT NULL AND at IS NOT NULL
	ORDER BY tenant, shipment_id, at, status, detail
	ON CONFLICT DO NOTHING
),
news AS MATERIALIZED (SELECT * FROM recorded WHERE changed),
@order_step(news),
followed AS (
	UPDATE shipment s SET tracking_state = w.tracking_state, updated_at = now(),
	                      state = CASE WHEN w.delivered THEN 'delivered' ELSE s.state END
	FROM news w WHERE (s.tenant, s.id) = (w.tenant, w.shipment_id)
),
shares AS MATERIALIZED (
	SELECT w.tenant, w.job_id AS cause, w.order_id, r.line, r.item, r.location, r.qty
	FROM settled w JOIN reservation r ON (r.tenant, r.order_id) = (w.tenant, w.order_id)
	 AND r.group_no = w.group_no AND r.state = 'shipped'
),
@move_units(shares, shipped, delivered),
told AS (
	SELECT tenant, order_id, seq, CASE WHEN delivered THEN 'delivered' ELSE 'tracking' END AS kind,
	       from_state, from_state AS to_state, group_no, tracking_state AS detail, 'shipping' AS actor
	FROM news
	UNION ALL
	SELECT tenant, order_id, version, 'completed', from_state, to_state, 0, NULL, 'shipping'
	FROM news WHERE outcome = 'completed'
),
@event(told)
SELECT n, outcome, version FROM recorded ORDER BY n
