-- What a location has reserved and allocated is what the reservations there say.
SELECT tenant, item, location, s.reserved, r.held, s.allocated, r.committed
  FROM stock s
  FULL JOIN (SELECT tenant, item, location,
                    coalesce(sum(qty) FILTER (WHERE state = 'held'), 0) AS held,
                    coalesce(sum(qty) FILTER (WHERE state = 'committed'), 0) AS committed
               FROM reservation
              GROUP BY tenant, item, location) r USING (tenant, item, location)
 WHERE (coalesce(s.reserved, 0), coalesce(s.allocated, 0)) <> (coalesce(r.held, 0), coalesce(r.committed, 0))
