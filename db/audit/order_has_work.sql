-- An order that must still move has an unfinished job for every group that must, and one for what it lacks: otherwise it
-- lies there for ever.
-- A payment that was declined waits for a person instead: a pending order until it expires, a confirmed one under a hold.
SELECT o.tenant, o.id, o.state, p.group_no, p.state AS payment, s.state AS shipment
  FROM orders o
  JOIN payment p ON (p.tenant, p.order_id) = (o.tenant, o.id)
  LEFT JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (p.tenant, p.order_id, p.group_no)
 CROSS JOIN LATERAL (
	SELECT count(*) > 0 AS work, count(*) FILTER (WHERE j.kind = 'payment.authorize') > 0 AS paying
	  FROM job j
	 WHERE (j.tenant, j.order_id, j.group_no) = (p.tenant, p.order_id, p.group_no) AND j.state <> 'done') open
 CROSS JOIN LATERAL (
	SELECT EXISTS (SELECT FROM order_hold d
	                WHERE (d.tenant, d.order_id, d.group_no, d.reason) = (p.tenant, p.order_id, p.group_no, 'payment')
	                  AND d.released_at IS NULL) AS held) h
 WHERE (o.state IN ('pending', 'confirmed') AND p.state IN ('pending', 'unknown', 'requires_action') AND NOT open.paying)
    OR (o.state = 'pending' AND p.state = 'declined' AND NOT o.wait_for_payment)
    OR (o.state = 'confirmed' AND p.state = 'declined' AND NOT h.held)
    OR (o.state = 'confirmed' AND p.state IN ('authorized', 'captured')
        AND coalesce(s.state, 'planned') NOT IN ('delivered', 'lost', 'returned') AND NOT open.work)
    OR (o.state NOT IN ('pending', 'confirmed') AND p.state IN ('authorized', 'unknown', 'requires_action') AND NOT open.work)
UNION ALL
SELECT o.tenant, o.id, o.state, 0, 'backordered', NULL
  FROM orders o
 WHERE EXISTS (SELECT FROM order_line g WHERE (g.tenant, g.order_id) = (o.tenant, o.id) AND g.backordered > 0)
   AND NOT EXISTS (SELECT FROM job j
                    WHERE (j.tenant, j.order_id) = (o.tenant, o.id) AND j.kind = 'fulfillment.resource' AND j.state <> 'done')
