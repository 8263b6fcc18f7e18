-- Somebody saw the carrier take these parcels: hand-over jobs that wait for that go on.  All of them or none.  A parcel
-- that is gone already, or needs no confirming, is none the worse for it.
-- Refusals: not_found, seen (request_key), no_label or not_paid; of the first parcel that stands in the way.
-- Locks no order: the job checks everything again.  A detail row is one parcel.
-- unit: handover_confirm   lane: order   rank: 49
-- keys: request(tenant, request_method, request_key)
-- head: tenant int4, request_method int2, request_key text, fingerprint bytea, resource uuid, locations text?
-- line: line int4, shipment_id uuid
-- answer: ordinal int8, outcome text, line int4, job_id uuid?
WITH h AS MATERIALIZED (SELECT * FROM @head),
l AS MATERIALIZED (SELECT @of(tenant) AS tenant, @of(locations) AS locations, l.* FROM @line),
seen AS MATERIALIZED (
	SELECT h.n FROM h JOIN request r ON (r.tenant, r.method, r.key) = (h.tenant, h.request_method, h.request_key)
),
parcels AS MATERIALIZED (
	SELECT l.n, l.line, l.tenant, s.order_id, s.group_no,
	       CASE WHEN s.id IS NULL THEN 'not_found'
	            WHEN s.state IN ('planned', 'label_intent', 'voiding') THEN 'no_label'
	            WHEN s.state = 'labelled' AND p.state <> 'captured' THEN 'not_paid' END AS trouble
	FROM l
	LEFT JOIN shipment s ON (s.tenant, s.id) = (l.tenant, l.shipment_id) AND @located(s, l)
	LEFT JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (s.tenant, s.order_id, s.group_no)
),
trouble AS MATERIALIZED (
	SELECT DISTINCT ON (n) n, line, trouble FROM parcels
	WHERE trouble = 'not_found' OR (trouble IS NOT NULL AND (n IN (SELECT n FROM seen)) IS NOT TRUE)
	ORDER BY n, line
),
request_rows AS (
	INSERT INTO request (tenant, method, key, fingerprint, resource)
	SELECT tenant, request_method, request_key, fingerprint, resource
	FROM h WHERE (n IN (SELECT n FROM seen)) IS NOT TRUE AND (n IN (SELECT n FROM trouble)) IS NOT TRUE
	ORDER BY tenant, request_method, request_key
	ON CONFLICT DO NOTHING
	RETURNING tenant, method, key
),
won AS MATERIALIZED (
	SELECT n FROM h WHERE ((tenant, request_method, request_key) IN (SELECT tenant, method, key FROM request_rows)) IS TRUE
),
released AS (
	UPDATE job j SET state = 'ready', run_at = now()
	FROM parcels w
	WHERE (w.n IN (SELECT n FROM won)) IS TRUE AND (j.tenant, j.order_id) = (w.tenant, w.order_id) AND j.group_no = w.group_no
	  AND j.kind = 'shipping.handover' AND j.state = 'parked' AND j.state <> 'done'
	RETURNING w.n, w.line, j.id
)
SELECT w.n, 'confirmed', coalesce(r.line, 0), r.id FROM won w LEFT JOIN released r ON r.n = w.n
UNION ALL
SELECT n, 'seen', 0, NULL FROM h
WHERE (n IN (SELECT n FROM won)) IS NOT TRUE AND (n IN (SELECT n FROM trouble)) IS NOT TRUE
UNION ALL
SELECT n, trouble, line, NULL FROM trouble
ORDER BY 1, 3
