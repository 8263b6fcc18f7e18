-- Fulfilment orders by age, oldest first, from behind `after`: the one asked for, an order's, those in a state or at a
-- location, or all.  One row per line, the fulfilment order's own columns repeated.  A page ends at `most` of them, or
-- where it would come to more than most_lines lines, but holds one at least; `more` says that others follow.
-- job_id: its pick or pack job, if nobody has taken it.  Each branch has an index of its own; all but one are not run.
-- unit: fulfillment_list   lane: read   rank: 31
-- head: tenant int4, fulfillment_id uuid?, order_id uuid?, location_code text?, state text?, after uuid?, most int4, most_lines int8
-- head: locations text?
-- answer: ordinal int8, fulfillment_id uuid, order_id uuid, number int8, group_no int2, location_code text, state text
-- answer: ship_service text, sealed bytea?, created_at timestamptz, updated_at timestamptz, shipment_id uuid?
-- answer: job_id uuid?, holds text?, more bool, line int4, sku text, title text, qty int8
WITH h AS MATERIALIZED (
	SELECT n, tenant, fulfillment_id, order_id, location_code, state, most, most_lines, locations,
	       coalesce(after, '00000000-0000-0000-0000-000000000000') AS after
	  FROM @head
), page AS MATERIALIZED (
	SELECT h.n, h.most, h.most_lines, f.*, row_number() OVER (PARTITION BY h.n ORDER BY f.id) AS place
	  FROM h
	 CROSS JOIN LATERAL (
		(SELECT f.*
		   FROM fulfillment_order f
		  WHERE h.fulfillment_id IS NOT NULL AND (f.tenant, f.id) = (h.tenant, h.fulfillment_id) AND @located(f, h))
		UNION ALL
		(SELECT f.*
		   FROM fulfillment_order f
		   JOIN location p ON (p.tenant, p.location) = (f.tenant, f.location)
		  WHERE h.fulfillment_id IS NULL AND h.order_id IS NOT NULL AND (f.tenant, f.order_id) = (h.tenant, h.order_id)
		    AND f.id > h.after AND f.state = coalesce(h.state, f.state) AND p.code = coalesce(h.location_code, p.code)
		    AND @located(f, h)
		  ORDER BY f.id
		  LIMIT h.most + 1)
		UNION ALL
		(SELECT f.*
		   FROM location p
		  CROSS JOIN LATERAL (
			SELECT *
			  FROM fulfillment_order f
			 WHERE f.tenant = p.tenant AND f.state = h.state AND f.location = p.location AND f.id > h.after
			 ORDER BY f.tenant, f.state, f.location, f.id
			 LIMIT h.most + 1) f
		  WHERE h.fulfillment_id IS NULL AND h.order_id IS NULL AND h.state IS NOT NULL
		    AND p.tenant = h.tenant AND p.code = coalesce(h.location_code, p.code) AND @located(p, h)
		  ORDER BY f.id
		  LIMIT h.most + 1)
		UNION ALL
		(SELECT f.*
		   FROM location p
		  CROSS JOIN LATERAL (
			SELECT *
			  FROM fulfillment_order f
			 WHERE f.tenant = p.tenant AND f.location = p.location AND f.id > h.after
			 ORDER BY f.tenant, f.location, f.id
			 LIMIT h.most + 1) f
		  WHERE h.fulfillment_id IS NULL AND h.order_id IS NULL AND h.state IS NULL
		    AND p.tenant = h.tenant AND (h.location_code IS NOT NULL OR h.locations IS NOT NULL)
		    AND p.code = coalesce(h.location_code, p.code) AND @located(p, h)
		  ORDER BY f.id
		  LIMIT h.most + 1)
		UNION ALL
		(SELECT f.*
		   FROM fulfillment_order f
		  WHERE h.fulfillment_id IS NULL AND h.order_id IS NULL AND h.state IS NULL AND h.location_code IS NULL
		    AND h.locations IS NULL AND f.tenant = h.tenant AND f.id > h.after
		  ORDER BY f.tenant, f.id
		  LIMIT h.most + 1)
	 ) f
), sized AS MATERIALIZED (
	SELECT p.*, sum(c.lines) OVER (PARTITION BY p.n ORDER BY p.place) AS upto
	  FROM page p
	 CROSS JOIN LATERAL (
		SELECT count(*) AS lines FROM reservation r
		 WHERE (r.tenant, r.order_id, r.group_no) = (p.tenant, p.order_id, p.group_no)) c
), shown AS MATERIALIZED (
	SELECT *, bool_or(NOT fits) OVER (PARTITION BY n) AS more
	  FROM (SELECT *, place = 1 OR (place <= most AND upto <= most_lines) AS fits FROM sized) s
)
SELECT f.n, f.id, f.order_id, x.number, f.group_no, p.code, f.state,
       x.ship_service, c.sealed, f.created_at, f.updated_at, s.id,
       (SELECT j.id FROM job j
         WHERE (j.tenant, j.order_id, j.group_no) = (f.tenant, f.order_id, f.group_no)
           AND j.kind = CASE f.state WHEN 'open' THEN 'fulfillment.pick' WHEN 'picked' THEN 'fulfillment.pack' END
           AND j.state <> 'done' AND j.state IN ('ready', 'parked')
         LIMIT 1),
       (SELECT string_agg(DISTINCT d.reason, ',') FROM order_hold d
         WHERE (d.tenant, d.order_id) = (f.tenant, f.order_id) AND d.group_no IN (0, f.group_no) AND d.released_at IS NULL),
       f.more, r.line, i.sku, i.title, r.qty
  FROM shown f
  JOIN orders x ON (x.tenant, x.id) = (f.tenant, f.order_id)
  JOIN location p ON (p.tenant, p.location) = (f.tenant, f.location)
  JOIN reservation r ON (r.tenant, r.order_id, r.group_no) = (f.tenant, f.order_id, f.group_no)
   AND (r.state <> 'released' OR f.state = 'cancelled')
  JOIN item i ON (i.tenant, i.item) = (r.tenant, r.item)
  LEFT JOIN contact c ON (c.tenant, c.id) = (x.tenant, x.contact_id)
  LEFT JOIN shipment s ON (s.tenant, s.order_id, s.group_no) = (f.tenant, f.order_id, f.group_no)
 WHERE f.fits
 ORDER BY f.n, f.id, r.line
