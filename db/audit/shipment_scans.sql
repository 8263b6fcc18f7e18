-- Where a parcel is agrees with its scans: the second leg begins with the first return_to_sender, what is delivered was
-- delivered on the first leg, what is returned on the second, and what was seen nowhere has no tracking state.
SELECT s.tenant, s.id, s.state, s.leg, s.tracking_state, seen.turned, seen.delivered_first, seen.delivered_second
  FROM shipment s
 CROSS JOIN LATERAL (SELECT min(e.at) FILTER (WHERE e.status = 'return_to_sender') AS turned
                       FROM shipment_scan e WHERE (e.tenant, e.shipment_id) = (s.tenant, s.id)) leg
 CROSS JOIN LATERAL (SELECT leg.turned, count(*) AS scans,
                            coalesce(bool_or(e.status = 'delivered' AND (leg.turned IS NULL OR e.at < leg.turned)), false)
                            AS delivered_first,
                            coalesce(bool_or(e.status = 'delivered' AND e.at >= leg.turned), false) AS delivered_second
                       FROM shipment_scan e WHERE (e.tenant, e.shipment_id) = (s.tenant, s.id)) seen
 WHERE (s.leg = 2) <> (seen.turned IS NOT NULL)
    OR (s.state = 'delivered' AND NOT seen.delivered_first)
    OR (s.state = 'returned' AND NOT seen.delivered_second)
    OR (s.tracking_state IS NOT NULL AND seen.scans = 0)
    OR (s.state = 'lost' AND s.exception IS DISTINCT FROM 'lost')
