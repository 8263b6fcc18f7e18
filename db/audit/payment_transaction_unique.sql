-- Money moves once: one capture per payment, whatever was authorized and let go before it; nothing of one attempt is both
-- taken and let go; and what happened to an attempt's money after it was held happened to money that was held.
SELECT tenant, order_id, group_no, array_agg(kind || ' ' || gateway_ref ORDER BY at) AS transactions
  FROM payment_transaction
 GROUP BY tenant, order_id, group_no
HAVING count(*) FILTER (WHERE kind = 'capture') > 1
UNION ALL
SELECT tenant, order_id, group_no, array_agg(kind || ' ' || gateway_ref ORDER BY at)
  FROM payment_transaction
 GROUP BY tenant, order_id, group_no, attempt_id
HAVING bool_or(kind = 'capture') AND bool_or(kind = 'void')
    OR NOT bool_or(kind = 'authorize')
