-- An order that must still move has an unfinished job for every group that must: otherwise it lies there for ever.
SELECT o.tenant, o.id, o.state, p.group_no, p.state AS payment, s.state AS shipment
  FROM orders o
  JOIN payment p ON (p.tenant, p.order_id) = (o.tenant, o.id)
  LEFT JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (p.tenant, p.order_id, p.group_no)
 WHERE ((o.state = 'pending' AND p.state IN ('pending', 'unknown'))
        OR (o.state = 'confirmed' AND coalesce(s.state, 'planned') NOT IN ('delivered', 'lost', 'returned'))
        OR (o.state NOT IN ('pending', 'confirmed') AND p.state IN ('authorized', 'unknown')))
   AND NOT EXISTS (SELECT FROM job j
                    WHERE (j.tenant, j.order_id, j.group_no) = (p.tenant, p.order_id, p.group_no) AND j.state <> 'done')
