-- A label is to be given back: only while the parcel is here and the carrier has not seen it.  The worker asks the
-- carrier.  Refusals, in this order: seen (request_id), not_found, not_voidable.
-- unit: label_void_begin   lane: order   rank: 46
-- keys: id(order_id), request(tenant, request_method, request_key)
-- locks: orders
-- head: tenant int4, order_id uuid, shipment_id uuid, request_method int2, request_key text, fingerprint bytea
-- head: reason text, actor text, next_job uuid, trace bytea?
-- answer: ordinal int8, outcome text, version int8?, job_id uuid?
WITH h AS MATERIALIZED (SELECT * FROM @head),
seen AS MATERIALIZED (
	SELECT h.n FROM h JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
),
judged AS MATERIALIZED (
	SELECT h.*, s.group_no, x.state AS from_state, x.state AS to_state, x.payment_state, x.fulfillment_state,
	       x.version + 1 AS seq, x.version + 1 AS version, 'label_voiding' AS kind, h.reason AS detail,
	       'shipping.void' AS next_kind, 0 AS priority, now() AS run_at,
	       CASE WHEN h.n IN (SELECT n FROM seen) THEN 'seen'
	            WHEN s.id IS NULL THEN 'not_found'
	            WHEN s.state <> 'labelled' OR coalesce(s.tracking_state, 'pre_transit') <> 'pre_transit' THEN 'not_voidable'
	            ELSE 'voiding' END AS outcome
	FROM h
	LEFT JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
	LEFT JOIN shipment s ON (s.tenant, s.id) = (h.tenant, h.shipment_id) AND s.order_id = h.order_id
),
request_rows AS (
	INSERT INTO request (tenant, method, key, fingerprint, resource)
	SELECT tenant, request_method, request_key, fingerprint, shipment_id
	FROM judged WHERE outcome = 'voiding'
	ORDER BY tenant, request_method, request_key
	ON CONFLICT DO NOTHING
	RETURNING resource
),
w AS MATERIALIZED (
	SELECT * FROM judged WHERE outcome = 'voiding' AND (shipment_id IN (SELECT resource FROM request_rows)) IS TRUE
),
@order_step(w),
@event(w),
@next_job(w, trace),
voiding AS (
	UPDATE shipment s SET state = 'voiding', updated_at = now()
	FROM w WHERE (s.tenant, s.id) = (w.tenant, w.shipment_id)
)
SELECT n, outcome, version, next_job FROM w
UNION ALL
SELECT n, CASE outcome WHEN 'voiding' THEN 'seen' ELSE outcome END, version, NULL
FROM judged WHERE (n IN (SELECT n FROM w)) IS NOT TRUE
ORDER BY 1
