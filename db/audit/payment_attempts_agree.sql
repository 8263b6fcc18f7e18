-- A payment that says money is held or taken, or waits for its customer, has an attempt that says the same, and the other
-- way round.  Where a customer confirms is known only while one is waited for.
SELECT tenant, order_id, group_no, p.state AS payment, a.state AS attempt
  FROM payment p
  FULL JOIN (SELECT * FROM payment_attempt WHERE state IN ('requires_action', 'authorized', 'captured')) a
       USING (tenant, order_id, group_no)
 WHERE (p.state IN ('requires_action', 'authorized', 'captured') OR a.state IS NOT NULL) AND p.state IS DISTINCT FROM a.state
UNION ALL
SELECT tenant, order_id, group_no, 'action_url', state
  FROM payment_attempt
 WHERE action_url IS NOT NULL AND state <> 'requires_action'
