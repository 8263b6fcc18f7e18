-- Moves the counters of stock by the movements this very transaction inserted (xmin).  The constraints of `stock`
-- decide: whoever lost the race for the last units is refused here, and its batch judges again.
--   on_hand      is all that lies there: in from outside, out to outside or with the carrier
--   reserved     held for orders not paid yet
--   allocated    paid for and not gone yet: allocated, picked, packed
--   unavailable  there, but not for sale
-- shared: stock_apply
-- columns: tenant int4, cause uuid
WITH m AS (
	SELECT m.tenant, m.item, m.location, m.from_bucket AS f, m.to_bucket AS t, m.qty
	  FROM (SELECT DISTINCT * FROM @columns) k
	  JOIN stock_movement m ON (m.tenant, m.cause) = (k.tenant, k.cause)
	 WHERE m.xmin = pg_current_xact_id()::xid
), d AS (
	SELECT tenant, item, location,
	       sum(qty * ((f = 'outside')::int - (t IN ('outside', 'shipped'))::int))::int8 AS on_hand,
	       sum(qty * ((t = 'reserved')::int - (f = 'reserved')::int))::int8 AS reserved,
	       sum(qty * ((t IN ('allocated', 'picked', 'packed'))::int - (f IN ('allocated', 'picked', 'packed'))::int))::int8
	       AS allocated,
	       sum(qty * ((t = 'unavailable')::int - (f = 'unavailable')::int))::int8 AS unavailable
	  FROM m
	 GROUP BY tenant, item, location
)
UPDATE stock s
   SET on_hand = s.on_hand + d.on_hand, reserved = s.reserved + d.reserved,
       allocated = s.allocated + d.allocated, unavailable = s.unavailable + d.unavailable
  FROM d
 WHERE (s.tenant, s.item, s.location) = (d.tenant, d.item, d.location)
