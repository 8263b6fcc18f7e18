-- What the carrier said about a parcel: its scans are kept, and what they come to is done (fragments/tracking_fact.sql,
-- tracking_write.sql).  At the parcel's end the job is done; otherwise it comes back in delay_ms with its attempts
-- forgotten.  stale: another scan was stored since; read all and decide again.  No row: the claim is stale.
-- A detail row is one scan; the same scan told again is no new row.
-- unit: tracking_recorded   lane: job   rank: 45
-- keys: id(order_id)
-- locks: orders, jobs
-- head: tenant int4, order_id uuid, group_no int2, job_id uuid, epoch int8, shipment_id uuid, tracking_state text?
-- head: leg int2, exception text?, fate text, known int8, delay_ms int8
-- line: at timestamptz, status text, detail text, message text, city text
-- answer: ordinal int8, outcome text, version int8?
WITH h AS MATERIALIZED (SELECT *, job_id AS cause FROM @head),
l AS MATERIALIZED (SELECT * FROM @line),
@hold_job(h),
@tracking_fact(held),
ended AS MATERIALIZED (SELECT * FROM fact WHERE current AND becomes IN ('delivered', 'returned')),
travelling AS MATERIALIZED (SELECT * FROM fact WHERE current AND becomes NOT IN ('delivered', 'returned')),
@settle_job(ended),
@retry_job(travelling, 0, NULL),
recorded AS MATERIALIZED (SELECT * FROM settled UNION ALL SELECT * FROM retried),
@tracking_write(recorded, carrier)
SELECT n, CASE WHEN completes THEN 'completed' WHEN becomes IN ('delivered', 'returned') THEN becomes ELSE 'waiting' END, version
FROM told
UNION ALL
SELECT n, 'stale', NULL FROM fact WHERE NOT current
ORDER BY 1
