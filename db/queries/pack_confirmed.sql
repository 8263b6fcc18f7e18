-- Somebody has packed the goods of one fulfilment order: fulfillment_packed, reported instead of done by a job.  The pack
-- job, which nobody has taken, ends with it.
-- Refusals, in this order: not_found, seen (this report), not_packable.
-- unit: pack_confirmed   lane: order   rank: 47
-- keys: id(order_id), request(tenant, request_method, request_key)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, fulfillment_id uuid, job_id uuid, request_method int2, request_key text
-- head: fingerprint bytea, actor text, weight_g int8, shipment_id uuid, next_job uuid, sscc_prefix text, trace bytea?
-- head: locations text?
-- answer: ordinal int8, outcome text, version int8?, job_id uuid?, kind text?
WITH h AS MATERIALIZED (SELECT * FROM @head),
seen AS MATERIALIZED (
	SELECT h.n FROM h JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
),
asked AS MATERIALIZED (
	SELECT h.*, f.state = 'picked' AND x.state = 'confirmed' AS packable, f.location, x.state AS from_state,
	       x.state AS to_state, x.payment_state, x.fulfillment_state, x.version + 1 AS seq, x.version + 1 AS version,
	       'packed' AS kind, h.request_key AS detail, 'shipping.label' AS next_kind, 1 AS priority, now() AS run_at,
	       EXISTS (SELECT FROM job j
	                WHERE j.id = h.job_id AND j.kind = 'fulfillment.pack' AND j.state IN ('ready', 'parked')
	                  AND (j.tenant, j.order_id, j.group_no) = (h.tenant, h.order_id, h.group_no)) AS untaken
	FROM h
	JOIN fulfillment_order f ON (f.tenant, f.id) = (h.tenant, h.fulfillment_id)
	 AND (f.order_id, f.group_no) = (h.order_id, h.group_no) AND @located(f, h)
	JOIN orders x ON (x.tenant, x.id) = (h.tenant, h.order_id)
),
judged AS MATERIALIZED (
	SELECT *, CASE WHEN n IN (SELECT n FROM seen) THEN 'seen'
	               WHEN NOT packable OR NOT untaken THEN 'not_packable'
	               ELSE 'packed' END AS outcome
	FROM asked
),
request_rows AS (
	INSERT INTO request (tenant, method, key, fingerprint, resource)
	SELECT tenant, request_method, request_key, fingerprint, fulfillment_id
	FROM judged WHERE outcome = 'packed'
	ORDER BY tenant, request_method, request_key
	ON CONFLICT DO NOTHING
	RETURNING resource
),
packed AS MATERIALIZED (
	SELECT * FROM judged WHERE outcome = 'packed' AND (fulfillment_id IN (SELECT resource FROM request_rows)) IS TRUE
),
confirmed AS (
	UPDATE job j SET state = 'done', epoch = j.epoch + 1, done_at = now()
	FROM packed w WHERE j.id = w.job_id AND j.state IN ('ready', 'parked')
),
@order_step(packed),
@event(packed),
@parcel_plan(packed, trace)
SELECT n, outcome, version, next_job, next_kind FROM packed
UNION ALL
SELECT n, CASE outcome WHEN 'packed' THEN 'seen' ELSE outcome END, NULL, NULL, NULL
FROM judged WHERE (n IN (SELECT n FROM packed)) IS NOT TRUE
UNION ALL
SELECT n, 'not_found', NULL, NULL, NULL FROM h WHERE (n IN (SELECT n FROM asked)) IS NOT TRUE
ORDER BY n
