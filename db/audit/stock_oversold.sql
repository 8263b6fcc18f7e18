-- No location promises more than it has, and no counter is below nothing.
SELECT tenant, item, location, on_hand, reserved, allocated, unavailable, incoming
  FROM stock
 WHERE least(on_hand, reserved, allocated, unavailable, incoming) < 0 OR reserved + allocated + unavailable > on_hand
