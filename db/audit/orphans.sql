-- Nothing belongs to an order that does not exist, and no order lacks its lines or its contact.
SELECT x.what, x.tenant, x.order_id
  FROM (SELECT 'order_line' AS what, tenant, order_id FROM order_line
        UNION ALL SELECT 'reservation', tenant, order_id FROM reservation
        UNION ALL SELECT 'order_event', tenant, order_id FROM order_event
        UNION ALL SELECT 'stock_movement', tenant, order_id FROM stock_movement WHERE order_id IS NOT NULL
        UNION ALL SELECT 'payment', tenant, order_id FROM payment
        UNION ALL SELECT 'payment_attempt', tenant, order_id FROM payment_attempt
        UNION ALL SELECT 'payment_transaction', tenant, order_id FROM payment_transaction
        UNION ALL SELECT 'shipment', tenant, order_id FROM shipment
        UNION ALL SELECT 'notification', tenant, order_id FROM notification
        UNION ALL SELECT 'fulfillment_order', tenant, order_id FROM fulfillment_order
        UNION ALL SELECT 'order_hold', tenant, order_id FROM order_hold
        UNION ALL SELECT 'job', tenant, order_id FROM job) x
 WHERE NOT EXISTS (SELECT FROM orders o WHERE (o.tenant, o.id) = (x.tenant, x.order_id))
UNION ALL
SELECT 'an order without lines', o.tenant, o.id
  FROM orders o
 WHERE NOT EXISTS (SELECT FROM order_line g WHERE (g.tenant, g.order_id) = (o.tenant, o.id))
UNION ALL
SELECT 'an order without its contact', o.tenant, o.id
  FROM orders o
 WHERE NOT EXISTS (SELECT FROM contact c WHERE (c.tenant, c.id) = (o.tenant, o.contact_id))
