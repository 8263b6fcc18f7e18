-- A fulfilment order says where the goods of its group are: open with a pick job to come and no parcel, picked with a pack
-- job, packed with a parcel, closed when that has left, cancelled with its order or because nothing was there.  A group
-- that is at work has one.  An order that has ended has no open hold, but for a parcel that came back afterwards, or a dead job.
SELECT f.tenant, f.order_id, f.group_no, f.state, o.state AS order_state, s.state AS shipment, r.states AS reservations
  FROM fulfillment_order f
  JOIN orders o ON (o.tenant, o.id) = (f.tenant, f.order_id)
  LEFT JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (f.tenant, f.order_id, f.group_no)
  LEFT JOIN (SELECT tenant, order_id, group_no, CASE min(state) WHEN max(state) THEN min(state) ELSE 'several' END AS states
               FROM reservation
              WHERE state <> 'released'
              GROUP BY tenant, order_id, group_no) r
         ON (r.tenant, r.order_id, r.group_no) = (f.tenant, f.order_id, f.group_no)
  LEFT JOIN (SELECT tenant, order_id, group_no, bool_or(kind = 'fulfillment.pick') AS pick,
                    bool_or(kind = 'fulfillment.pack') AS pack
               FROM job
              WHERE state <> 'done'
              GROUP BY tenant, order_id, group_no) j
         ON (j.tenant, j.order_id, j.group_no) = (f.tenant, f.order_id, f.group_no)
 WHERE CASE f.state
       WHEN 'open' THEN o.state <> 'confirmed' OR s.id IS NOT NULL OR r.states IS DISTINCT FROM 'committed' OR j.pick IS NOT TRUE
       WHEN 'picked' THEN o.state <> 'confirmed' OR s.id IS NOT NULL OR r.states IS DISTINCT FROM 'committed' OR j.pack IS NOT TRUE
       WHEN 'packed' THEN s.state IS NULL OR s.state NOT IN ('planned', 'label_intent', 'labelled', 'voiding')
                          OR s.sscc IS NULL OR r.states IS DISTINCT FROM 'committed'
       WHEN 'closed' THEN s.state IS NULL OR s.state IN ('planned', 'label_intent', 'labelled', 'voiding')
                          OR r.states IS DISTINCT FROM 'shipped'
       WHEN 'cancelled' THEN s.id IS NOT NULL OR r.states IS NOT NULL END
UNION ALL
SELECT r.tenant, r.order_id, r.group_no, 'none', NULL, NULL, r.state
  FROM reservation r
 WHERE r.state IN ('committed', 'shipped')
   AND NOT EXISTS (SELECT FROM fulfillment_order f
                    WHERE (f.tenant, f.order_id, f.group_no) = (r.tenant, r.order_id, r.group_no))
UNION ALL
SELECT d.tenant, d.order_id, d.group_no, 'held', o.state, NULL, d.reason
  FROM order_hold d
  JOIN orders o ON (o.tenant, o.id) = (d.tenant, d.order_id)
 WHERE d.released_at IS NULL AND o.state NOT IN ('pending', 'confirmed') AND d.reason NOT IN ('returned', 'job_dead')
