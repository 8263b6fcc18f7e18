-- Ends a pending order whose time is over.  An attempt whose outcome is not known keeps it alive: nobody may be charged
-- for an order that has let go of its stock.
-- unit: order_expire   lane: order   rank: 21
-- keys: id(order_id)
-- locks: orders
-- head: tenant int4, order_id uuid, cause uuid
-- line: group_no int2, job_id uuid
-- answer: ordinal int8, outcome text, job_id uuid?
-- stock: cause
WITH h AS MATERIALIZED (
	SELECT * FROM @head
), l AS MATERIALIZED (
	SELECT * FROM @line
), w AS MATERIALIZED (
	SELECT h.*, o.version
	  FROM h
	  JOIN orders o ON (o.tenant, o.id) = (h.tenant, h.order_id)
	 WHERE o.state = 'pending' AND o.expires_at < now()
	   AND NOT EXISTS (SELECT FROM payment_attempt a
	                    WHERE (a.tenant, a.order_id) = (o.tenant, o.id)
	                      AND a.state IN ('intent', 'unknown', 'requires_action'))
),
@release(w),
@drop_payments(w, NULL),
order_rows AS (
	UPDATE orders o
	   SET state = 'expired', fulfillment_state = 'cancelled', version = o.version + 1, updated_at = now(),
	       payment_state = CASE WHEN w.n IN (SELECT n FROM owed) THEN o.payment_state ELSE 'voided' END
	  FROM w
	 WHERE (o.tenant, o.id) = (w.tenant, w.order_id)
), events AS (
	SELECT tenant, order_id, version + 1 AS seq, 'expired' AS kind, 'pending' AS from_state, 'expired' AS to_state,
	       0 AS group_no, NULL AS detail, 'janitor' AS actor
	  FROM w
),
@event(events)
SELECT w.n, 'expired' AS outcome, v.job_id FROM w LEFT JOIN void_jobs v ON v.n = w.n
UNION ALL
SELECT n, 'not_due', NULL FROM h WHERE (n IN (SELECT n FROM w)) IS NOT TRUE
 ORDER BY 1
