-- A parcel that is lost or came back is held for a person to see to it, and was not forgotten.
SELECT s.tenant, s.order_id, s.group_no, s.state
  FROM shipment s
 WHERE (s.state = 'lost' AND NOT EXISTS (
		SELECT FROM order_hold d
		 WHERE (d.tenant, d.order_id, d.group_no, d.reason) = (s.tenant, s.order_id, s.group_no, 'shipping')
		   AND d.released_at IS NULL))
    OR (s.state = 'returned' AND NOT EXISTS (
		SELECT FROM order_hold d
		 WHERE (d.tenant, d.order_id, d.group_no, d.reason) = (s.tenant, s.order_id, s.group_no, 'returned')))
