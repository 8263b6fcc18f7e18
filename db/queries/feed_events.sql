-- Events of a tenant behind a place of its feed (migrations/0014_feed.sql), at most `most`: those of one customer, or of
-- everybody - also where a customer has so many orders that looking through them would cost more than leaving out the
-- others' events, which is the caller's to do.
--
-- A row at least: how far events are final (horizon), and since when one that is committed has waited for an older
-- transaction to end (held_since).  Fewer than `most` events: there are no more below the horizon.  fresh: none are wanted.
-- epoch: of places; NULL: the rows were copied here from another cluster, and `orderd migrate` was not run since.
-- unit: feed_events   lane: read   rank: 26
-- head: tenant int4, customer text?, fresh bool, after_xid int8, after_order uuid?, after_seq int8, most int4
-- answer: ordinal int8, epoch int8?, horizon int8, held_since timestamptz?, xid int8, order_id uuid?, seq int8, number int8, customer text, at timestamptz, kind text, from_state text?, to_state text, group_no int2, detail text?, actor text
WITH h AS MATERIALIZED (
	SELECT n, tenant, customer, fresh, most, after_xid::text::xid8 AS xid, after_seq AS seq,
	       coalesce(after_order, '00000000-0000-0000-0000-000000000000') AS order_id,
	       h.customer IS NOT NULL
	       AND (SELECT count(*) FROM (SELECT FROM orders o
	                                   WHERE o.tenant = h.tenant AND o.customer = h.customer
	                                   LIMIT 1001) theirs) <= 1000 AS few
	  FROM @head
), now AS MATERIALIZED (
	SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon,
	       (SELECT f.cluster + f.epoch FROM feed_epoch f, pg_control_system() c WHERE f.cluster = c.system_identifier) AS epoch
)
SELECT h.n, now.epoch, now.horizon::text::int8,
       (SELECT e.at
          FROM order_event e
         WHERE e.tenant = h.tenant AND e.xid > '3' AND e.xid >= now.horizon
         ORDER BY e.tenant, e.xid, e.order_id, e.seq
         LIMIT 1),
       coalesce(e.xid::text::int8, 0), e.order_id, coalesce(e.seq, 0), coalesce(e.number, 0), coalesce(e.customer, ''),
       coalesce(e.at, now()), coalesce(e.kind, ''), e.from_state, coalesce(e.to_state, ''), coalesce(e.group_no, 0::int2),
       e.detail, coalesce(e.actor, '')
  FROM h
 CROSS JOIN now
  LEFT JOIN LATERAL (
	(SELECT e.*, o.number, o.customer
	   FROM order_event e
	   JOIN orders o ON (o.tenant, o.id) = (e.tenant, e.order_id)
	  WHERE NOT h.few AND NOT h.fresh AND e.tenant = h.tenant AND e.xid > '3'
	    AND (e.xid, e.order_id, e.seq) > (h.xid, h.order_id, h.seq) AND e.xid < now.horizon
	  ORDER BY e.tenant, e.xid, e.order_id, e.seq
	  LIMIT h.most)
	UNION ALL
	(SELECT e.*, o.number, o.customer
	   FROM orders o
	   JOIN order_event e ON (e.tenant, e.order_id) = (o.tenant, o.id)
	  WHERE h.few AND NOT h.fresh AND o.tenant = h.tenant AND o.customer = h.customer AND e.xid > '3'
	    AND (e.xid, e.order_id, e.seq) > (h.xid, h.order_id, h.seq) AND e.xid < now.horizon
	  ORDER BY e.xid, e.order_id, e.seq
	  LIMIT h.most)
 ) e ON true
 ORDER BY h.n, e.xid, e.order_id, e.seq
