-- What somebody else than the carrier's interface knows of a parcel, one scan: kept and acted upon as tracking_recorded
-- does.  A parcel that still lies here and was scanned by the carrier has been handed over: its job, if it waits for
-- that to be confirmed, goes on; job_id names it.
-- Refusals, in this order: seen (request_key), not_found, no_label, full (most scans are stored), stale (another scan
-- was stored since it was decided: read all and decide again).
-- unit: tracking_reported   lane: order   rank: 48
-- keys: id(order_id), request(tenant, request_method, request_key)
-- locks: orders
-- head: tenant int4, order_id uuid, group_no int2, shipment_id uuid, request_method int2, request_key text, fingerprint bytea
-- head: cause uuid, tracking_state text?, leg int2, exception text?, fate text, accepted bool, known int8, most int8
-- line: at timestamptz, status text, detail text, message text, city text
-- answer: ordinal int8, outcome text, version int8?, job_id uuid?
WITH h AS MATERIALIZED (SELECT * FROM @head),
l AS MATERIALIZED (SELECT * FROM @line),
seen AS MATERIALIZED (
	SELECT h.n FROM h JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
),
@tracking_fact(h),
judged AS MATERIALIZED (
	SELECT *, CASE WHEN n IN (SELECT n FROM seen) THEN 'seen'
	               WHEN was IS NULL THEN 'not_found'
	               WHEN was IN ('planned', 'label_intent', 'voiding') THEN 'no_label'
	               WHEN scans >= most THEN 'full'
	               WHEN NOT current THEN 'stale'
	               ELSE 'recorded' END AS outcome
	FROM fact
),
request_rows AS (
	INSERT INTO request (tenant, method, key, fingerprint, resource)
	SELECT tenant, request_method, request_key, fingerprint, shipment_id
	FROM judged WHERE outcome = 'recorded'
	ORDER BY tenant, request_method, request_key
	ON CONFLICT DO NOTHING
	RETURNING resource
),
recorded AS MATERIALIZED (
	SELECT * FROM judged WHERE outcome = 'recorded' AND (shipment_id IN (SELECT resource FROM request_rows)) IS TRUE
),
@tracking_write(recorded, report),
released AS (
	UPDATE job j SET state = 'ready', run_at = now()
	FROM recorded w
	WHERE w.accepted AND w.was = 'labelled' AND (j.tenant, j.order_id) = (w.tenant, w.order_id) AND j.group_no = w.group_no
	  AND j.kind = 'shipping.handover' AND j.state = 'parked' AND j.state <> 'done'
	RETURNING w.n, j.id
)
SELECT t.n, 'recorded', t.version, r.id FROM told t LEFT JOIN released r ON r.n = t.n
UNION ALL
SELECT n, CASE outcome WHEN 'recorded' THEN 'seen' ELSE outcome END, NULL, NULL
FROM judged WHERE (n IN (SELECT n FROM recorded)) IS NOT TRUE
ORDER BY 1
