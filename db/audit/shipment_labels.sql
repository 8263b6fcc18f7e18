-- A parcel that has a label has one live label, the same in its row and in the list of labels; one without has none.
SELECT s.tenant, s.id, s.state, s.tracking_code, live.n, live.codes
  FROM shipment s
 CROSS JOIN LATERAL (SELECT count(*) AS n, string_agg(b.remote_id || ' ' || b.tracking_code, ', ') AS codes
                       FROM shipment_label b
                      WHERE (b.tenant, b.shipment_id) = (s.tenant, s.id) AND b.voided_at IS NULL) live
 WHERE CASE WHEN s.state IN ('planned', 'label_intent') THEN live.n > 0
            ELSE live.codes IS DISTINCT FROM s.remote_id || ' ' || s.tracking_code END
UNION ALL
SELECT s.tenant, s.id, s.state, s.tracking_code, count(*), 'offers chosen'
  FROM shipment s JOIN shipment_rate r ON (r.tenant, r.shipment_id) = (s.tenant, s.id)
 WHERE r.chosen OR s.state IN ('planned', 'label_intent')
 GROUP BY 1, 2, 3, 4
HAVING count(*) > (s.state NOT IN ('planned', 'label_intent'))::int
