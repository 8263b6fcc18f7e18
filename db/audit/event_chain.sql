-- Every event begins in the state the one before it ended in, moves along a legal edge, and the last one ends where
-- the order is.
SELECT tenant, order_id, seq, kind, before, from_state, to_state, state
  FROM (SELECT e.*, o.state, o.version,
               lag(e.to_state) OVER (PARTITION BY e.tenant, e.order_id ORDER BY e.seq) AS before
          FROM order_event e
          JOIN orders o ON (o.tenant, o.id) = (e.tenant, e.order_id)) e
 WHERE from_state IS DISTINCT FROM before
    OR (from_state IS NOT NULL AND from_state <> to_state AND NOT order_edge(from_state, to_state))
    OR (seq = version AND to_state <> state)
