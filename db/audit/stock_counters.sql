-- The counters of a location are the sums of the movements that touched it.
SELECT tenant, item, location, s.on_hand, m.on_hand AS should_be_on_hand, s.reserved, m.reserved AS should_be_reserved,
       s.allocated, m.allocated AS should_be_allocated, s.unavailable, m.unavailable AS should_be_unavailable
  FROM (SELECT tenant, item, location,
               sum(qty * ((from_bucket = 'outside')::int - (to_bucket IN ('outside', 'shipped'))::int)) AS on_hand,
               sum(qty * ((to_bucket = 'reserved')::int - (from_bucket = 'reserved')::int)) AS reserved,
               sum(qty * ((to_bucket IN ('allocated', 'picked', 'packed'))::int
                          - (from_bucket IN ('allocated', 'picked', 'packed'))::int)) AS allocated,
               sum(qty * ((to_bucket = 'unavailable')::int - (from_bucket = 'unavailable')::int)) AS unavailable
          FROM stock_movement
         WHERE location <> 0 -- units without a place: they were never in stock
         GROUP BY tenant, item, location) m
  FULL JOIN stock s USING (tenant, item, location)
 WHERE (coalesce(s.on_hand, 0), coalesce(s.reserved, 0), coalesce(s.allocated, 0), coalesce(s.unavailable, 0))
    <> (coalesce(m.on_hand, 0), coalesce(m.reserved, 0), coalesce(m.allocated, 0), coalesce(m.unavailable, 0))
