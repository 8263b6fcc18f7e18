-- What the payment gateway says it holds and took, as far as it was read, beside what we say (db/audit/gateway_*.sql).
-- A gateway knows no tenants: one account serves all of them, and orderd alone.

CREATE TABLE gateway_payment (
	id             text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 255), -- the gateway's
	attempt_id     uuid,                   -- ours, as the gateway was told; NULL: it was told none
	amount_minor   bigint NOT NULL CHECK (amount_minor >= 0),   -- asked for
	held_minor     bigint NOT NULL CHECK (held_minor >= 0),     -- authorized, not taken
	captured_minor bigint NOT NULL CHECK (captured_minor >= 0), -- taken
	currency       text NOT NULL,
	status         text NOT NULL,          -- the gateway's word
	created_at     timestamptz NOT NULL,   -- by the gateway's clock
	changed_at     timestamptz NOT NULL DEFAULT now(), -- first seen like this
	seen_at        timestamptz NOT NULL DEFAULT now()  -- last seen like this, to the hour
);
CREATE INDEX gateway_payment_seen ON gateway_payment (seen_at);
ALTER TABLE gateway_payment SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);

-- Where the reading is: no row, or one.  A walk began at `until`, reads what was created since `since`, the newest first,
-- and is at `after`.
CREATE TABLE gateway_walk (
	one          boolean PRIMARY KEY DEFAULT true CHECK (one),
	since        timestamptz,              -- NULL: no walk is under way
	until        timestamptz,
	after        text NOT NULL DEFAULT '', -- the payment it has come to; '': it begins
	walked_since timestamptz,              -- the last whole walk
	walked_until timestamptz,
	CONSTRAINT gateway_walk_bounds CHECK ((since IS NULL) = (until IS NULL))
);
