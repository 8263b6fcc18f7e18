-- Orders of a tenant, or of one customer of it, newest first: those with from_id <= id < before.  Ids carry their time,
-- so this is a page by age.  Two branches, because each has an index of its own; one of them is not run at all.
-- unit: order_list   lane: read   rank: 24
-- head: tenant int4, customer text?, before uuid?, from_id uuid?, most int4
-- answer: ordinal int8, order_id uuid, number int8, state text, payment_state text, fulfillment_state text, version int8, currency text, total_minor int8, customer text, channel text, reference text, created_at timestamptz, updated_at timestamptz
WITH h AS MATERIALIZED (
	SELECT n, tenant, customer, most,
	       coalesce(from_id, '00000000-0000-0000-0000-000000000000') AS from_id,
	       coalesce(before, 'ffffffff-ffff-ffff-ffff-ffffffffffff') AS before
	  FROM @head
)
SELECT h.n, o.id, o.number, o.state, o.payment_state, o.fulfillment_state, o.version, o.currency, o.total_minor,
       o.customer, o.channel, o.reference, o.created_at, o.updated_at
  FROM h
 CROSS JOIN LATERAL (
	(SELECT *
	   FROM orders o
	  WHERE h.customer IS NULL AND o.tenant = h.tenant AND o.id >= h.from_id AND o.id < h.before
	  ORDER BY o.tenant DESC, o.id DESC
	  LIMIT h.most)
	UNION ALL
	(SELECT *
	   FROM orders o
	  WHERE o.customer = h.customer AND o.tenant = h.tenant AND o.id >= h.from_id AND o.id < h.before
	  ORDER BY o.tenant DESC, o.customer DESC, o.id DESC
	  LIMIT h.most)
 ) o
 ORDER BY h.n, o.id DESC
