-- Cancels an order nothing of which is in a parcel yet.  Stock is free at once; the order is `cancelled` at once if no
-- money may be held for it, otherwise `cancelling` until the last void or outcome is known.
-- Refusals, in this order: seen (request_id), not_found, stale (another version than the caller knows), not_cancellable.
-- unit: order_cancel   lane: order   rank: 20
-- keys: id(order_id), request(tenant, request_method, request_key)
-- locks: orders
-- head: tenant int4, order_id uuid, request_method int2, request_key text, fingerprint bytea, cause uuid, version int8?, reason text, actor text, trace bytea?, owner text?
-- line: group_no int2, job_id uuid
-- answer: ordinal int8, outcome text, version int8?, job_id uuid?
-- stock: cause
WITH h AS MATERIALIZED (
	SELECT * FROM @head
), l AS MATERIALIZED (
	SELECT * FROM @line
), seen AS MATERIALIZED (
	SELECT h.n FROM h JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
), asked AS (
	SELECT h.*, o.state, o.version AS version_now,
	       EXISTS (SELECT FROM order_line g
	                WHERE (g.tenant, g.order_id) = (o.tenant, o.id)
	                  AND g.packed + g.shipped + g.delivered + g.returned > 0) AS gone
	  FROM h
	  LEFT JOIN orders o ON (o.tenant, o.id) = (h.tenant, h.order_id) AND @owned(o, h)
), judged AS MATERIALIZED (
	SELECT *, CASE WHEN n IN (SELECT n FROM seen) THEN 'seen'
	               WHEN state IS NULL THEN 'not_found'
	               WHEN version <> version_now THEN 'stale'
	               WHEN state NOT IN ('pending', 'confirmed') OR gone THEN 'not_cancellable'
	               ELSE 'cancelled' END AS outcome
	  FROM asked
), request_rows AS (
	INSERT INTO request (tenant, method, key, fingerprint, resource)
	SELECT tenant, request_method, request_key, fingerprint, order_id
	  FROM judged
	 WHERE outcome = 'cancelled'
	 ORDER BY tenant, request_method, request_key
	    ON CONFLICT DO NOTHING
	RETURNING resource
), w AS MATERIALIZED (
	SELECT * FROM judged WHERE outcome = 'cancelled' AND (order_id IN (SELECT resource FROM request_rows)) IS TRUE
),
@release(w),
@drop_payments(w, @of(trace)),
fate AS MATERIALIZED (
	SELECT *, (n IN (SELECT n FROM owed)) IS NOT TRUE AS final FROM w
), order_rows AS (
	UPDATE orders o
	   SET state = CASE WHEN f.final THEN 'cancelled' ELSE 'cancelling' END,
	       payment_state = CASE WHEN f.final THEN 'voided' ELSE o.payment_state END,
	       fulfillment_state = 'cancelled',
	       version = o.version + CASE WHEN f.final THEN 2 ELSE 1 END, updated_at = now()
	  FROM fate f
	 WHERE (o.tenant, o.id) = (f.tenant, f.order_id)
), events AS (
	SELECT tenant, order_id, version_now + 1 AS seq, 'cancel_requested' AS kind, state AS from_state,
	       'cancelling' AS to_state, 0 AS group_no, reason AS detail, actor
	  FROM fate
	UNION ALL
	SELECT tenant, order_id, version_now + 2, 'cancelled', 'cancelling', 'cancelled', 0, NULL, actor
	  FROM fate
	 WHERE final
),
@event(events)
SELECT f.n, f.outcome, f.version_now + CASE WHEN f.final THEN 2 ELSE 1 END, v.job_id
  FROM fate f
  LEFT JOIN void_jobs v ON v.n = f.n
UNION ALL
SELECT n, CASE outcome WHEN 'cancelled' THEN 'seen' ELSE outcome END, version_now, NULL
  FROM judged
 WHERE (n IN (SELECT n FROM w)) IS NOT TRUE
 ORDER BY 1
