-- The units of a parcel are where the parcel is: what has left is shipped, delivered or returned with it.
SELECT g.tenant, g.order_id, g.line, g.shipped, g.delivered, g.returned, gone.shipped AS should_be_shipped,
       gone.delivered AS should_be_delivered, gone.returned AS should_be_returned
  FROM order_line g
 CROSS JOIN LATERAL (SELECT coalesce(sum(r.qty) FILTER (WHERE s.state IN ('handed_over', 'lost')), 0) AS shipped,
                            coalesce(sum(r.qty) FILTER (WHERE s.state = 'delivered'), 0) AS delivered,
                            coalesce(sum(r.qty) FILTER (WHERE s.state = 'returned'), 0) AS returned
                       FROM reservation r
                       JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (r.tenant, r.order_id, r.group_no)
                      WHERE (r.tenant, r.order_id, r.line) = (g.tenant, g.order_id, g.line) AND r.state = 'shipped') gone
 WHERE (g.shipped, g.delivered, g.returned) <> (gone.shipped, gone.delivered, gone.returned)
