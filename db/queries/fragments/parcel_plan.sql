-- parcel_plan(rows, trace): the goods of the groups of `rows` (tenant, order_id, group_no, job_id, shipment_id, location,
-- weight_g, sscc_prefix, and what next_job wants) are in their parcels: each is planned under its number, and its label
-- is next.  weight_g 0: what its items come to.
@next_job($(1), $(2)),
planned AS (
	INSERT INTO shipment (tenant, id, order_id, group_no, location, state, sscc, weight_g)
	SELECT tenant, shipment_id, order_id, group_no, location, 'planned', sscc18(sscc_prefix, nextval('sscc_serial')), weight_g
	FROM $(1)
),
packed_orders AS (
	UPDATE fulfillment_order f SET state = 'packed', updated_at = now()
	FROM $(1) w WHERE (f.tenant, f.order_id, f.group_no) = (w.tenant, w.order_id, w.group_no)
),
shares AS MATERIALIZED (
	SELECT w.tenant, w.job_id AS cause, w.order_id, r.line, r.item, r.location, r.qty
	FROM $(1) w JOIN reservation r ON (r.tenant, r.order_id) = (w.tenant, w.order_id)
	 AND r.group_no = w.group_no AND r.state = 'committed'
),
@move_units(shares, picked, packed)
