-- Money moves once: one capture per payment, and none that was voided as well.
SELECT tenant, order_id, group_no, array_agg(kind || ' ' || gateway_ref ORDER BY at) AS transactions
  FROM payment_transaction
 GROUP BY tenant, order_id, group_no
HAVING count(*) FILTER (WHERE kind = 'capture') > 1
    OR (bool_or(kind = 'capture') AND bool_or(kind = 'void'))
