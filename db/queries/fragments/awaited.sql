-- awaited(h): each row of h (n, provider, object_id, ...) with whose object that is (found_tenant, found_order,
-- found_group; NULL: nobody's) and the open job that waits for news of it (found_job).  The latest wins where a provider
-- has given a name twice.  authorized: the object is an authorization of an order that goes on.
awaited AS MATERIALIZED (
	SELECT h.*, o.tenant AS found_tenant, o.order_id AS found_order, o.group_no AS found_group,
	       o.authorized, j.id AS found_job
	FROM $(1) h
	LEFT JOIN LATERAL (
		(SELECT a.tenant, a.order_id, a.group_no, a.created_at,
		        a.state = 'authorized' AND x.state IN ('pending', 'confirmed') AS authorized
		 FROM payment_attempt a JOIN orders x ON (x.tenant, x.id) = (a.tenant, a.order_id)
		 WHERE h.provider = 'gateway' AND a.gateway_id = h.object_id
		 ORDER BY a.created_at DESC LIMIT 1)
		UNION ALL
		(SELECT s.tenant, s.order_id, s.group_no, s.created_at, false
		 FROM shipment s
		 WHERE h.provider = 'carrier' AND s.tracking_code = h.object_id
		 ORDER BY s.created_at DESC LIMIT 1)) o ON true
	LEFT JOIN LATERAL (
		SELECT j.id FROM job j
		WHERE (j.tenant, j.order_id, j.group_no) = (o.tenant, o.order_id, o.group_no)
		  AND j.state IN ('ready', 'running', 'parked')
		  AND CASE h.provider WHEN 'gateway' THEN j.kind IN ('payment.authorize', 'payment.renew')
		                      ELSE j.kind = 'shipping.track' END
		ORDER BY j.id LIMIT 1) j ON true
)
