-- A label that is to be given back has a job that still tries to: one that is dead gave up, and nothing else ends it.
SELECT s.tenant, s.order_id, s.group_no, s.id
  FROM shipment s
 WHERE s.state = 'voiding'
   AND NOT EXISTS (SELECT FROM job j
                    WHERE (j.tenant, j.order_id, j.group_no) = (s.tenant, s.order_id, s.group_no)
                      AND j.kind = 'shipping.void' AND j.state NOT IN ('done', 'dead'))
