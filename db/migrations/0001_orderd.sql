-- The first schema.  Constraints carry the invariants: what the program must never do,
-- the database refuses to store.  Runs in schema orderd, in one transaction.

-- ---------------------------------------------------------------- tenants, places, things

CREATE TABLE tenant (
	tenant     int PRIMARY KEY,
	name       text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO tenant (tenant, name) VALUES (1, 'default');

-- A place that holds stock and ships.  Its address is the sender on labels; it is no person's.
CREATE TABLE location (
	tenant       int NOT NULL REFERENCES tenant,
	location     int GENERATED ALWAYS AS IDENTITY,
	code         text NOT NULL,
	name         text NOT NULL,
	priority     int NOT NULL DEFAULT 100,          -- low is preferred
	latitude_e6  int NOT NULL DEFAULT 0 CHECK (latitude_e6 BETWEEN -90000000 AND 90000000),
	longitude_e6 int NOT NULL DEFAULT 0 CHECK (longitude_e6 BETWEEN -180000000 AND 180000000),
	street       text NOT NULL,
	city         text NOT NULL,
	region       text NOT NULL,
	postal_code  text NOT NULL,
	country      text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
	created_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, location),
	UNIQUE (tenant, code)
);

CREATE TABLE item (
	tenant     int NOT NULL REFERENCES tenant,
	item       bigint GENERATED ALWAYS AS IDENTITY,
	sku        text NOT NULL,
	title      text NOT NULL,
	unit_minor bigint NOT NULL CHECK (unit_minor >= 0),
	currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
	weight_g   int NOT NULL CHECK (weight_g > 0),
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, item),
	UNIQUE (tenant, sku)
);

-- available = on_hand - reserved - allocated - unavailable.  Moved by stock_apply alone.
CREATE TABLE stock (
	tenant      int NOT NULL,
	item        bigint NOT NULL,
	location    int NOT NULL,
	on_hand     bigint NOT NULL DEFAULT 0,
	reserved    bigint NOT NULL DEFAULT 0,
	allocated   bigint NOT NULL DEFAULT 0,
	unavailable bigint NOT NULL DEFAULT 0,
	incoming    bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant, item, location),
	CONSTRAINT stock_not_negative CHECK (on_hand >= 0 AND reserved >= 0 AND allocated >= 0 AND unavailable >= 0 AND incoming >= 0),
	CONSTRAINT stock_not_oversold CHECK (reserved + allocated + unavailable <= on_hand)
) WITH (fillfactor = 50); -- no index on a counter, so every update stays on its page

-- ---------------------------------------------------------------- orders

CREATE SEQUENCE order_number START 100001;

-- Names, addresses, mail and phone live here and nowhere else, sealed with AES-256-GCM.
CREATE TABLE contact (
	tenant     int NOT NULL,
	id         uuid NOT NULL,
	sealed     bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, id)
);

-- One row per request_id that changed something; kept 30 days.
CREATE TABLE request (
	tenant      int NOT NULL,
	method      smallint NOT NULL,
	key         text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
	fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
	resource    uuid NOT NULL,
	created_at  timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, method, key)
);
CREATE INDEX request_age ON request USING brin (created_at);

-- Legal moves of an order; core/domain/order_table.h holds the same rows with their reasons, a test compares.
CREATE FUNCTION order_edge(from_state text, to_state text) RETURNS boolean IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN from_state || '>' || to_state IN (
	'pending>confirmed', 'pending>rejected', 'pending>expired', 'pending>cancelling', 'pending>cancelled',
	'confirmed>cancelling', 'confirmed>cancelled', 'confirmed>completed', 'cancelling>cancelled');

CREATE TABLE orders (
	tenant            int NOT NULL,
	id                uuid NOT NULL,
	number            bigint NOT NULL DEFAULT nextval('order_number'),
	state             text NOT NULL CHECK (state IN
	                  ('pending', 'confirmed', 'cancelling', 'completed', 'cancelled', 'rejected', 'expired')),
	payment_state     text NOT NULL CHECK (payment_state IN
	                  ('pending', 'unknown', 'authorized', 'partially_captured', 'captured', 'declined', 'voided')),
	fulfillment_state text NOT NULL CHECK (fulfillment_state IN
	                  ('unfulfilled', 'allocated', 'partially_shipped', 'shipped', 'partially_delivered', 'delivered', 'cancelled')),
	version           bigint NOT NULL CHECK (version >= 1),  -- = last order_event.seq
	groups            smallint NOT NULL CHECK (groups >= 1), -- shipment groups, numbered from 1
	currency          text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
	total_minor       bigint NOT NULL CHECK (total_minor >= 0),
	customer          text NOT NULL,
	channel           text NOT NULL,
	reference         text NOT NULL,                         -- the buyer's own number, e.g. a purchase order
	contact_id        uuid NOT NULL,
	expires_at        timestamptz NOT NULL,                  -- a pending order ends here
	created_at        timestamptz NOT NULL DEFAULT now(),
	updated_at        timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, id)
);
CREATE INDEX orders_by_customer ON orders (tenant, customer, id);
CREATE INDEX orders_expiring ON orders (expires_at) WHERE state = 'pending';

CREATE FUNCTION order_state_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'order % may not move from % to %', OLD.id, OLD.state, NEW.state
		USING ERRCODE = 'check_violation', CONSTRAINT = 'order_edge';
END $$;
CREATE TRIGGER order_state_guard BEFORE UPDATE OF state ON orders FOR EACH ROW
	WHEN (OLD.state <> NEW.state AND NOT order_edge(OLD.state, NEW.state))
	EXECUTE FUNCTION order_state_guard();

-- Every unit of a line is in exactly one bucket.
CREATE TABLE order_line (
	tenant      int NOT NULL,
	order_id    uuid NOT NULL,
	line        int NOT NULL CHECK (line >= 1),
	item        bigint NOT NULL,
	unit_minor  bigint NOT NULL CHECK (unit_minor >= 0),
	ordered     bigint NOT NULL CHECK (ordered > 0),
	unassigned  bigint NOT NULL DEFAULT 0,
	reserved    bigint NOT NULL DEFAULT 0,
	backordered bigint NOT NULL DEFAULT 0,
	allocated   bigint NOT NULL DEFAULT 0,
	picked      bigint NOT NULL DEFAULT 0,
	packed      bigint NOT NULL DEFAULT 0,
	shipped     bigint NOT NULL DEFAULT 0,
	delivered   bigint NOT NULL DEFAULT 0,
	cancelled   bigint NOT NULL DEFAULT 0,
	returned    bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant, order_id, line),
	CONSTRAINT line_every_unit_in_one_bucket CHECK (ordered = unassigned + reserved + backordered + allocated
		+ picked + packed + shipped + delivered + cancelled + returned),
	CONSTRAINT line_not_negative CHECK (least(unassigned, reserved, backordered, allocated,
		picked, packed, shipped, delivered, cancelled, returned) >= 0)
);

-- What a line takes from a location: the plan, kept.  A line over two locations has two rows.
CREATE TABLE reservation (
	tenant   int NOT NULL,
	order_id uuid NOT NULL,
	line     int NOT NULL,
	location int NOT NULL,
	item     bigint NOT NULL,
	group_no smallint NOT NULL,
	qty      bigint NOT NULL CHECK (qty > 0),
	state    text NOT NULL CHECK (state IN ('held', 'committed', 'shipped', 'released')),
	PRIMARY KEY (tenant, order_id, line, location)
);

-- Legal moves of a unit; core/domain/bucket_table.h holds the same rows, a test compares.
-- 'outside' is the world (receipts, write-offs); 'on_hand' is free stock that belongs to no order;
-- 'unavailable' is on hand but not for sale.
CREATE FUNCTION bucket_edge(from_bucket text, to_bucket text) RETURNS boolean IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN from_bucket || '>' || to_bucket IN (
	'outside>on_hand', 'on_hand>outside', 'on_hand>unavailable', 'unavailable>on_hand',
	'unassigned>reserved', 'unassigned>backordered', 'unassigned>cancelled',
	'reserved>allocated', 'reserved>backordered', 'reserved>cancelled',
	'backordered>reserved', 'backordered>allocated', 'backordered>cancelled',
	'allocated>picked', 'allocated>backordered', 'allocated>cancelled',
	'picked>packed', 'picked>allocated', 'picked>cancelled',
	'packed>shipped', 'packed>picked',
	'shipped>delivered', 'shipped>returned', 'delivered>returned');

-- The ledger both order lines and stock are sums of.  `cause` is the id of what moved the units (order, job,
-- receipt, cancellation); with n it makes asking twice harmless.
CREATE TABLE stock_movement (
	tenant      int NOT NULL,
	cause       uuid NOT NULL,
	n           int NOT NULL,
	order_id    uuid,
	line        int,
	item        bigint NOT NULL,
	location    int NOT NULL,
	from_bucket text NOT NULL,
	to_bucket   text NOT NULL,
	qty         bigint NOT NULL CHECK (qty > 0),
	at          timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, cause, n),
	CONSTRAINT movement_edge CHECK (bucket_edge(from_bucket, to_bucket)),
	CONSTRAINT movement_has_its_line CHECK ((order_id IS NULL) = (line IS NULL))
);
CREATE INDEX stock_movement_by_order ON stock_movement (tenant, order_id) WHERE order_id IS NOT NULL;

-- Why stock changed without an order.
CREATE TABLE stock_document (
	tenant     int NOT NULL,
	id         uuid NOT NULL, -- = stock_movement.cause
	kind       text NOT NULL CHECK (kind IN ('receipt', 'adjustment')),
	reference  text NOT NULL,
	actor      text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, id)
);

-- What happened to an order, in order, without gaps: seq is orders.version after the change.
CREATE TABLE order_event (
	tenant     int NOT NULL,
	order_id   uuid NOT NULL,
	seq        bigint NOT NULL,
	kind       text NOT NULL,
	from_state text,                     -- order state before; NULL for the first
	to_state   text NOT NULL,            -- order state after
	group_no   smallint NOT NULL DEFAULT 0,
	detail     text,
	actor      text NOT NULL,
	at         timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, order_id, seq)
);

-- ---------------------------------------------------------------- money

-- One per shipment group.  The sum over an order is the order's total.
CREATE TABLE payment (
	tenant           int NOT NULL,
	order_id         uuid NOT NULL,
	group_no         smallint NOT NULL CHECK (group_no >= 1),
	location         int NOT NULL,
	state            text NOT NULL CHECK (state IN ('pending', 'unknown', 'authorized', 'captured', 'declined', 'voided')),
	amount_minor     bigint NOT NULL CHECK (amount_minor >= 0),
	authorized_minor bigint NOT NULL DEFAULT 0,
	captured_minor   bigint NOT NULL DEFAULT 0,
	currency         text NOT NULL,
	method_token     text NOT NULL,      -- the gateway's token; never a card number
	authorized_until timestamptz,
	PRIMARY KEY (tenant, order_id, group_no),
	CONSTRAINT payment_capped CHECK (0 <= captured_minor AND captured_minor <= authorized_minor AND authorized_minor <= amount_minor)
);

-- One try to pay.  Its id is the remote idempotency key; the row is committed before the call.
CREATE TABLE payment_attempt (
	tenant       int NOT NULL,
	id           uuid NOT NULL,
	order_id     uuid NOT NULL,
	group_no     smallint NOT NULL,
	n            smallint NOT NULL,
	state        text NOT NULL CHECK (state IN
	             ('intent', 'unknown', 'requires_action', 'authorized', 'captured', 'declined', 'voided', 'failed')),
	gateway_id   text,
	decline_code text,
	created_at   timestamptz NOT NULL DEFAULT now(),
	updated_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, id),
	UNIQUE (tenant, order_id, group_no, n)
);
CREATE UNIQUE INDEX payment_attempt_one_live ON payment_attempt (tenant, order_id, group_no)
	WHERE state IN ('intent', 'unknown', 'requires_action', 'authorized', 'captured');

CREATE TABLE payment_transaction (
	tenant       int NOT NULL,
	attempt_id   uuid NOT NULL,
	kind         text NOT NULL CHECK (kind IN ('authorize', 'capture', 'void')),
	order_id     uuid NOT NULL,
	group_no     smallint NOT NULL,
	amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
	gateway_ref  text NOT NULL,
	at           timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, attempt_id, kind)
);
CREATE INDEX payment_transaction_by_order ON payment_transaction (tenant, order_id);

-- ---------------------------------------------------------------- parcels

CREATE TABLE shipment (
	tenant         int NOT NULL,
	id             uuid NOT NULL,
	order_id       uuid NOT NULL,
	group_no       smallint NOT NULL,
	location       int NOT NULL,
	state          text NOT NULL CHECK (state IN
	               ('planned', 'label_intent', 'labelled', 'handed_over', 'delivered', 'lost', 'returned')),
	remote_id      text,     -- the carrier's shipment
	tracker_id     text,
	carrier        text,
	service        text,
	tracking_code  text,
	label_url      text,
	rate_minor     bigint,
	tracking_state text,
	created_at     timestamptz NOT NULL DEFAULT now(),
	updated_at     timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, id),
	UNIQUE (tenant, order_id, group_no),
	CONSTRAINT shipment_labelled CHECK (state IN ('planned', 'label_intent') OR (remote_id IS NOT NULL AND tracking_code IS NOT NULL))
);

-- What the carrier said, append only.  The same scan told twice is one row.
CREATE TABLE shipment_scan (
	tenant      int NOT NULL,
	shipment_id uuid NOT NULL,
	at          timestamptz NOT NULL,
	status      text NOT NULL,
	detail      text NOT NULL,
	message     text NOT NULL,
	city        text NOT NULL,
	recorded_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, shipment_id, at, status, detail)
);

-- ---------------------------------------------------------------- jobs

-- The truth about work.  Redis carries ids only; shard and so the stream are inside the id.
CREATE TABLE job (
	id          uuid PRIMARY KEY,
	tenant      int NOT NULL,
	order_id    uuid NOT NULL,
	group_no    smallint NOT NULL,
	kind        text NOT NULL CHECK (kind IN ('payment.authorize', 'payment.capture', 'payment.void',
	            'fulfillment.pick', 'fulfillment.pack', 'shipping.label', 'shipping.handover', 'shipping.track')),
	state       text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'running', 'done', 'dead', 'parked')),
	priority    smallint NOT NULL DEFAULT 1 CHECK (priority BETWEEN 0 AND 3),
	epoch       bigint NOT NULL DEFAULT 0,       -- rises with every claim; completing needs the claim's own
	attempts    int NOT NULL DEFAULT 0,
	deaths      int NOT NULL DEFAULT 0,          -- claims whose lease ran out: their worker died, or hung
	run_at      timestamptz NOT NULL DEFAULT now(),
	lease_until timestamptz,
	worker      uuid,
	last_error  text,
	created_at  timestamptz NOT NULL DEFAULT now(),
	done_at     timestamptz,
	CONSTRAINT job_leased CHECK ((state = 'running') = (lease_until IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX job_ready ON job (run_at) WHERE state = 'ready';
CREATE INDEX job_leases ON job (lease_until) WHERE state = 'running';
CREATE INDEX job_dead ON job (created_at) WHERE state = 'dead';

-- Numbers that fence Redis: 'q00'..'q63' are queue shards, 'stock' the stock pools.  Raised when Redis has lost its data.
CREATE TABLE generation (
	name  text PRIMARY KEY,
	value bigint NOT NULL
);
INSERT INTO generation (name, value) SELECT 'q' || to_char(n, 'FM00'), 1 FROM generate_series(0, 63) n;
INSERT INTO generation (name, value) VALUES ('stock', 1);

-- A generic plan made while a table is empty scans it; early statistics end that soon.
ALTER TABLE orders SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE order_line SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE order_event SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE reservation SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE stock_movement SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE payment SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE payment_attempt SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE job SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_scale_factor = 0.05);
