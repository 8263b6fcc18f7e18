-- tracking_fact(rows): what the scans of a shipment come to, beside what is stored.  Of `rows`: tenant, order_id,
-- group_no, shipment_id; known, the number of stored scans it was decided from; tracking_state?, leg, exception?, fate
-- (handed_over, lost, delivered or returned), as core/domain/tracking.h decides them from those and the detail rows.
-- current: no scan was stored since, so that the decision holds; the order is locked.
-- A parcel that has not left, or is at its end, does not move; but one told delivered may have come back after all.
fact AS MATERIALIZED (
	SELECT h.*, s.state AS was, c.scans = h.known AS current, c.scans, s.tracking_code, to_be.state AS becomes,
	       h.leg > s.leg AS turned, to_be.state = 'delivered' AND s.state <> 'delivered' AS arrived,
	       to_be.state = 'returned' AND s.state <> 'returned' AS came_back,
	       to_be.state = 'lost' AND s.state <> 'lost' AS lost, s.state = 'lost' AND to_be.state <> 'lost' AS turned_up,
	       coalesce(h.tracking_state <> coalesce(s.tracking_state, ''), false) AS moved,
	       coalesce(h.exception <> coalesce(s.exception, ''), false) AS wrong,
	       x.state AS from_state, x.payment_state, x.version AS version_was,
	       CASE WHEN NOT (to_be.state = 'delivered' AND s.state <> 'delivered') THEN x.fulfillment_state
	            WHEN line.travelling = goods.qty AND line.returned = 0 THEN 'delivered'
	            ELSE 'partially_delivered' END AS fulfillment_state,
	       to_be.state = 'delivered' AND s.state <> 'delivered' AND x.state = 'confirmed' AND line.travelling = goods.qty
	       AND NOT EXISTS (SELECT FROM order_hold d
	                        WHERE (d.tenant, d.order_id) = (h.tenant, h.order_id) AND d.reason = 'returned'
	                          AND d.released_at IS NULL) AS completes
	FROM $(1) h
	LEFT JOIN shipment s ON (s.tenant, s.id) = (h.tenant, h.shipment_id) AND (s.order_id, s.group_no) = (h.order_id, h.group_no)
	LEFT JOIN orders x ON (x.tenant, x.id) = (s.tenant, s.order_id)
	CROSS JOIN LATERAL (
		SELECT count(*) AS scans FROM shipment_scan e WHERE (e.tenant, e.shipment_id) = (h.tenant, h.shipment_id)) c
	CROSS JOIN LATERAL (
		SELECT CASE WHEN s.state IN ('handed_over', 'lost') OR (s.state = 'delivered' AND h.fate = 'returned') THEN h.fate
		            ELSE s.state END AS state) to_be
	CROSS JOIN LATERAL (
		SELECT sum(l.ordered - l.delivered - l.cancelled - l.returned) AS travelling, sum(l.returned) AS returned
		FROM order_line l WHERE (l.tenant, l.order_id) = (h.tenant, h.order_id)) line
	CROSS JOIN LATERAL (
		SELECT sum(r.qty) AS qty FROM reservation r
		WHERE (r.tenant, r.order_id) = (h.tenant, h.order_id) AND r.group_no = h.group_no AND r.state = 'shipped') goods
)
