-- of(column): the value the unit of a detail row has in its head.  An array made once and indexed, because a
-- join of head and detail rows would be a nested loop.  Needs the CTE h, all of it, and an alias l with n.
(SELECT array_agg($(1) ORDER BY n) FROM h)[l.n]
