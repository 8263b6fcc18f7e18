-- A payment that says money is held or taken has an attempt that says the same, and the other way round.
SELECT tenant, order_id, group_no, p.state AS payment, a.state AS attempt
  FROM payment p
  FULL JOIN (SELECT * FROM payment_attempt WHERE state IN ('authorized', 'captured')) a USING (tenant, order_id, group_no)
 WHERE (p.state IN ('authorized', 'captured') OR a.state IS NOT NULL) AND p.state IS DISTINCT FROM a.state
