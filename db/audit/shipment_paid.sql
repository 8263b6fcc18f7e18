-- A parcel leaves only when it is paid for.
SELECT s.tenant, s.order_id, s.group_no, s.state, p.state AS payment
  FROM shipment s
  LEFT JOIN payment p ON (p.tenant, p.order_id, p.group_no) = (s.tenant, s.order_id, s.group_no)
 WHERE s.state IN ('handed_over', 'delivered', 'lost', 'returned') AND p.state IS DISTINCT FROM 'captured'
