-- Pending orders whose time is over, of all tenants; the oldest first.  One with an attempt whose outcome is not known
-- is left out: it must be found first.
-- unit: orders_expired   lane: read   rank: 40
-- head: most int4
-- answer: ordinal int8, tenant int4, order_id uuid, groups int2
SELECT h.n, o.tenant, o.id, o.groups
  FROM @head
 CROSS JOIN LATERAL (
	SELECT *
	  FROM orders o
	 WHERE o.state = 'pending' AND o.expires_at < now()
	   AND NOT EXISTS (SELECT FROM payment_attempt a
	                    WHERE (a.tenant, a.order_id) = (o.tenant, o.id)
	                      AND a.state IN ('intent', 'unknown', 'requires_action'))
	 ORDER BY o.expires_at
	 LIMIT h.most
 ) o
 ORDER BY h.n, o.expires_at
