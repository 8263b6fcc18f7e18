-- The main job, whole: fulfilment as work, parcels with rates and labels, payments that wait and are renewed, holds that
-- a person releases, messages to the customer.

-- A child of `parent` whose number nobody knows beforehand: UUIDv7 with the parent's shard, as core/base/id.h lays it
-- out.  Bytes 7 and 8 hold version, shard and counter; the random half tells children of one millisecond apart.
CREATE FUNCTION child_id(parent uuid) RETURNS uuid VOLATILE PARALLEL SAFE LANGUAGE sql
RETURN encode(overlay(overlay(uuid_send(gen_random_uuid())
	PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::int8) FROM 3) FROM 1)
	PLACING substring(uuid_send(parent) FROM 7 FOR 2) FROM 7), 'hex')::uuid;

-- ---------------------------------------------------------------- orders

ALTER TABLE orders
	ADD COLUMN notify           boolean NOT NULL DEFAULT false,      -- the customer has an address for mail, and gets some
	ADD COLUMN ship_service     text NOT NULL DEFAULT 'cheapest',    -- cheapest, fastest, or a carrier's service by name
	ADD COLUMN wait_for_payment boolean NOT NULL DEFAULT false,      -- after a decline, until it expires
	ADD COLUMN uncovered_minor  bigint NOT NULL DEFAULT 0 CHECK (uncovered_minor >= 0), -- worth of units that no payment is for
	DROP CONSTRAINT orders_payment_state_check,
	ADD CONSTRAINT orders_payment_state_check CHECK (payment_state IN
		('pending', 'unknown', 'authorized', 'partially_captured', 'captured', 'declined', 'voided', 'requires_action')),
	DROP CONSTRAINT orders_fulfillment_state_check,
	ADD CONSTRAINT orders_fulfillment_state_check CHECK (fulfillment_state IN ('unfulfilled', 'allocated',
		'partially_shipped', 'shipped', 'partially_delivered', 'delivered', 'cancelled', 'backordered'));
-- Who waits for an item.
CREATE INDEX order_line_waiting ON order_line (tenant, item, order_id) WHERE backordered > 0;

-- Why an order, or one group of it, does not go on until somebody has seen to it.  group_no 0: the whole order.
CREATE TABLE order_hold (
	tenant      int NOT NULL,
	order_id    uuid NOT NULL,
	group_no    smallint NOT NULL,
	reason      text NOT NULL CHECK (reason IN ('payment', 'inventory', 'returned', 'shipping')),
	detail      text NOT NULL,
	opened_at   timestamptz NOT NULL DEFAULT now(),
	released_at timestamptz,
	PRIMARY KEY (tenant, order_id, group_no, reason)
);

-- ---------------------------------------------------------------- fulfilment

-- automatic: goods are picked and packed without anybody confirming it.
ALTER TABLE location ADD COLUMN fulfillment text NOT NULL DEFAULT 'automatic' CHECK (fulfillment IN ('automatic', 'manual'));

-- The work of one location for one order: pick and pack one shipment group.
CREATE TABLE fulfillment_order (
	tenant     int NOT NULL,
	id         uuid NOT NULL,
	order_id   uuid NOT NULL,
	group_no   smallint NOT NULL,
	location   int NOT NULL,
	state      text NOT NULL CHECK (state IN ('open', 'picked', 'packed', 'closed', 'cancelled')),
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, id),
	UNIQUE (tenant, order_id, group_no)
);
CREATE INDEX fulfillment_order_by_location ON fulfillment_order (tenant, location, id);
CREATE INDEX fulfillment_order_by_state ON fulfillment_order (tenant, state, location, id);
ALTER TABLE fulfillment_order SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);

-- A line may come back to a location in another group: sourced again after a short pick.
ALTER TABLE reservation DROP CONSTRAINT reservation_pkey, ADD PRIMARY KEY (tenant, order_id, line, group_no);

-- ---------------------------------------------------------------- money

-- What is authorized may be more than what is due: units that were not on the shelf are paid for with another parcel.
ALTER TABLE payment
	ADD COLUMN fallback_methods text[] NOT NULL DEFAULT '{}',        -- tokens to try when method_token is declined, in order
	DROP CONSTRAINT payment_state_check,
	ADD CONSTRAINT payment_state_check CHECK (state IN
		('pending', 'unknown', 'requires_action', 'authorized', 'captured', 'declined', 'voided')),
	DROP CONSTRAINT payment_capped,
	ADD CONSTRAINT payment_capped CHECK (0 <= captured_minor AND captured_minor <= least(authorized_minor, amount_minor));
-- Not WHERE state = 'authorized': the planner would take it for looking up any authorized payment.
CREATE INDEX payment_expiring ON payment (authorized_until) WHERE authorized_until IS NOT NULL;

ALTER TABLE payment_attempt
	ADD COLUMN method_token text NOT NULL DEFAULT '',
	ADD COLUMN amount_minor bigint NOT NULL DEFAULT 0 CHECK (amount_minor >= 0),
	ADD COLUMN action_url   text;                                    -- where the customer confirms; requires_action alone

-- ---------------------------------------------------------------- parcels

-- SSCC-18 (GS1 General Specifications): extension digit and company prefix, serial, check digit modulo 10 with the weights
-- 3, 1, 3, ... from the left.  core/domain/sscc.h says the same in C; a test compares.
CREATE SEQUENCE sscc_serial;
CREATE FUNCTION sscc18(prefix text, serial bigint) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN (SELECT body || (10 - sum(substr(body, i, 1)::int * (1 + 2 * (i % 2))) % 10) % 10
          FROM (SELECT prefix || lpad((serial % (10::numeric ^ (17 - length(prefix)))::bigint)::text, 17 - length(prefix), '0') AS body) b,
               generate_series(1, 17) i
         GROUP BY body);

ALTER TABLE shipment
	ADD COLUMN sscc           text,                                  -- set when packed
	ADD COLUMN weight_g       bigint NOT NULL DEFAULT 0 CHECK (weight_g >= 0), -- as weighed; 0: what its items come to
	ADD COLUMN currency       text,                                  -- of rate_minor
	ADD COLUMN tracking_url   text,
	ADD COLUMN leg            smallint NOT NULL DEFAULT 1,           -- 2: on its way back
	ADD COLUMN exception      text,                                  -- what is wrong with it, until a later scan says it is not
	ADD CONSTRAINT shipment_sscc CHECK (sscc ~ '^[0-9]{18}$'),
	DROP CONSTRAINT shipment_state_check,
	ADD CONSTRAINT shipment_state_check CHECK (state IN
		('planned', 'label_intent', 'labelled', 'voiding', 'handed_over', 'delivered', 'lost', 'returned'));
CREATE UNIQUE INDEX shipment_by_sscc ON shipment (tenant, sscc) WHERE sscc IS NOT NULL;

-- What the carriers offered when the label was bought.
CREATE TABLE shipment_rate (
	tenant        int NOT NULL,
	shipment_id   uuid NOT NULL,
	rate_id       text NOT NULL,
	carrier       text NOT NULL,
	service       text NOT NULL,
	rate_minor    bigint NOT NULL CHECK (rate_minor >= 0),
	currency      text NOT NULL,
	delivery_days int,
	chosen        boolean NOT NULL,
	PRIMARY KEY (tenant, shipment_id, rate_id)
);

-- Every label there ever was; the live one's data are in `shipment` too.
CREATE TABLE shipment_label (
	tenant        int NOT NULL,
	remote_id     text NOT NULL,                                     -- the carrier's shipment it was bought for
	shipment_id   uuid NOT NULL,
	carrier       text NOT NULL,
	service       text NOT NULL,
	tracking_code text NOT NULL,
	rate_minor    bigint NOT NULL,
	currency      text NOT NULL,
	bought_at     timestamptz NOT NULL DEFAULT now(),
	voided_at     timestamptz,
	PRIMARY KEY (tenant, remote_id)
);
CREATE UNIQUE INDEX shipment_label_one_live ON shipment_label (tenant, shipment_id) WHERE voided_at IS NULL;

ALTER TABLE shipment_scan ADD COLUMN source text NOT NULL DEFAULT 'carrier' CHECK (source IN ('carrier', 'report'));

-- ---------------------------------------------------------------- messages

-- One per event that the customer is told of.  Its job has the same id; its Message-ID is made of it.
CREATE TABLE notification (
	tenant     int NOT NULL,
	id         uuid NOT NULL,
	order_id   uuid NOT NULL,
	group_no   smallint NOT NULL,
	seq        bigint NOT NULL,                                      -- of the event
	template   text NOT NULL,
	state      text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'refused', 'suppressed')),
	detail     text,
	created_at timestamptz NOT NULL DEFAULT now(),
	sent_at    timestamptz,
	PRIMARY KEY (tenant, id),
	UNIQUE (tenant, order_id, seq)
);
ALTER TABLE notification SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);

-- ---------------------------------------------------------------- jobs

ALTER TABLE job
	DROP CONSTRAINT job_kind_check,
	ADD CONSTRAINT job_kind_check CHECK (kind IN ('payment.authorize', 'payment.capture', 'payment.void', 'payment.renew',
		'fulfillment.pick', 'fulfillment.pack', 'fulfillment.resource',
		'shipping.label', 'shipping.handover', 'shipping.track', 'shipping.void', 'notification.mail'));
-- An order's unfinished work.  Not all of it: lookups by id would be led astray.
CREATE INDEX job_open_by_order ON job (tenant, order_id) WHERE state <> 'done';
