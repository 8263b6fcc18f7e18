-- tracking_write(rows, source): writes down what tracking_fact() found for `rows`, which have a `cause` for the movement of
-- their units.  Scans are the detail rows l; one told again is no new row.  What is news is an event each, in this
-- order: the way back begins; it moves, is delivered or is back; something is wrong; the order is completed.
-- Leaves behind: told (n, version), of all rows.
scanned AS MATERIALIZED ( -- FULL: an inner join of two CTEs runs as a nested loop, n squared
	SELECT w.tenant, w.shipment_id, l.at, l.status, l.detail, l.message, l.city FROM $(1) w FULL JOIN l ON l.n = w.n
), scans AS (
	INSERT INTO shipment_scan (tenant, shipment_id, at, status, detail, message, city, source)
	SELECT tenant, shipment_id, at, status, detail, message, city, '$(2)' FROM scanned
	WHERE tenant IS NOT NULL AND at IS NOT NULL
	ORDER BY tenant, shipment_id, at, status, detail
	ON CONFLICT DO NOTHING
), told AS MATERIALIZED (
	SELECT *, first + second + third + completes::int > 0 AS has_news,
	       version_was + first + second + third + completes::int AS version,
	       CASE WHEN completes THEN 'completed' ELSE from_state END AS to_state
	FROM $(1) w
	CROSS JOIN LATERAL (
		SELECT w.turned::int AS first, (w.arrived OR w.came_back OR (w.moved AND NOT w.turned))::int AS second,
		       w.wrong::int AS third) e
), news AS MATERIALIZED (
	SELECT * FROM told WHERE has_news
),
@order_step(news),
followed AS (
	UPDATE shipment s SET tracking_state = coalesce(w.tracking_state, s.tracking_state), leg = w.leg, exception = w.exception,
	                      state = w.becomes, updated_at = now()
	FROM told w
	WHERE (s.tenant, s.id) = (w.tenant, w.shipment_id)
	  AND (w.has_news OR w.becomes <> s.state OR w.exception IS DISTINCT FROM s.exception)
), events AS MATERIALIZED (
	SELECT tenant, order_id, version_was + 1 AS seq, 'returned_to_sender' AS kind, from_state, from_state AS to_state, group_no,
	       coalesce(exception, tracking_state) AS detail, 'shipping' AS actor
	FROM news WHERE turned
	UNION ALL
	SELECT tenant, order_id, version_was + first + 1,
	       CASE WHEN arrived THEN 'delivered' WHEN came_back THEN 'returned' ELSE 'tracking' END,
	       from_state, from_state, group_no, tracking_state, 'shipping'
	FROM news WHERE second = 1
	UNION ALL
	SELECT tenant, order_id, version_was + first + second + 1, 'tracking_exception', from_state, from_state, group_no,
	       exception, 'shipping'
	FROM news WHERE wrong
	UNION ALL
	SELECT tenant, order_id, version, 'completed', from_state, to_state, 0, NULL, 'shipping'
	FROM news WHERE completes
),
@event(events),
held_up AS MATERIALIZED (
	SELECT tenant, order_id, group_no, CASE WHEN lost THEN 'shipping' ELSE 'returned' END AS reason,
	       CASE WHEN lost THEN 'lost' ELSE coalesce(exception, 'returned_to_sender') END AS detail
	FROM told WHERE lost OR came_back
),
@hold_open(held_up),
found_again AS MATERIALIZED (
	SELECT tenant, order_id, group_no FROM told WHERE turned_up
),
@hold_release(found_again, shipping),
arrivals AS MATERIALIZED (
	SELECT w.tenant, w.cause, w.order_id, r.line, r.item, r.location, r.qty,
	       CASE w.was WHEN 'delivered' THEN 'delivered' ELSE 'shipped' END AS from_bucket,
	       CASE WHEN w.arrived THEN 'delivered' ELSE 'returned' END AS to_bucket
	FROM told w JOIN reservation r ON (r.tenant, r.order_id) = (w.tenant, w.order_id)
	 AND r.group_no = w.group_no AND r.state = 'shipped'
	WHERE w.arrived OR w.came_back
), movement_rows AS (
	INSERT INTO stock_movement (tenant, cause, n, order_id, line, item, location, from_bucket, to_bucket, qty)
	SELECT tenant, cause, row_number() OVER (PARTITION BY tenant, cause ORDER BY line, location),
	       order_id, line, item, location, from_bucket, to_bucket, qty
	FROM arrivals
), line_rows AS (
	UPDATE order_line l SET shipped = l.shipped - s.shipped, delivered = l.delivered + s.delivered, returned = l.returned + s.returned
	FROM (SELECT tenant, order_id, line, sum(qty * (from_bucket = 'shipped')::int)::int8 AS shipped,
	             sum(qty * ((to_bucket = 'delivered')::int - (from_bucket = 'delivered')::int))::int8 AS delivered,
	             sum(qty * (to_bucket = 'returned')::int)::int8 AS returned
	      FROM arrivals GROUP BY 1, 2, 3) s
	WHERE (l.tenant, l.order_id, l.line) = (s.tenant, s.order_id, s.line)
)
