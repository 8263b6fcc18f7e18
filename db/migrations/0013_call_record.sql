-- Calls on record: those that change what few may change, and those that were refused.  Append-only, and chained: a row's
-- hash is over the row and the hash before it, so nothing can be changed, removed or put between without breaking the chain
-- from there on (audit call_record_chain, `orderd verify-record`).

-- The head of each tenant's chain.  Tenant 0 is the installation: calls of those nobody knows.
CREATE TABLE call_chain (
	tenant int PRIMARY KEY,
	seq    bigint NOT NULL,  -- of the latest row
	hash   bytea NOT NULL CHECK (length(hash) = 32)
);

CREATE TABLE call_record (
	tenant      int NOT NULL,
	seq         bigint NOT NULL,      -- from 1, without a gap
	id          uuid NOT NULL,        -- the call's
	at          timestamptz NOT NULL, -- when it came, by the clock of who took it
	recorded_at timestamptz NOT NULL,
	actor       text NOT NULL,        -- subject of the credential; '': nobody known
	role        text NOT NULL,
	peer        text NOT NULL,        -- address, without the port
	method      text NOT NULL,
	request_key text,
	object      text NOT NULL,        -- what it was about, as far as is known: an id or a code
	status      int NOT NULL,         -- gRPC's number
	reason      text NOT NULL,        -- name of the error; of a caller nobody knows, why
	calls       bigint NOT NULL CHECK (calls > 0), -- more than one: as many alike, told once
	trace       text NOT NULL,
	prev        bytea NOT NULL,       -- hash of the row before; of the first, 32 zero bytes
	hash        bytea NOT NULL,
	PRIMARY KEY (tenant, seq)
);
CREATE UNIQUE INDEX call_record_id ON call_record (tenant, id);

-- Calls that are under way and will be on record whatever becomes of them: one whose server is gone is as `UNKNOWN_OUTCOME`.
CREATE TABLE call_begun (
	tenant      int NOT NULL,
	id          uuid NOT NULL,
	at          timestamptz NOT NULL,
	actor       text NOT NULL,
	role        text NOT NULL,
	peer        text NOT NULL,
	method      text NOT NULL,
	request_key text,
	trace       text NOT NULL,
	since       timestamptz NOT NULL DEFAULT now(), -- by this clock, whatever theirs say
	PRIMARY KEY (tenant, id)
);
CREATE INDEX call_begun_since ON call_begun (since);

-- A field of what is hashed: its length in four bytes, big-endian, and its text; absent: four bytes 0xff.  So two rows that
-- differ never give the same bytes.  core/store/record_check.c makes them again without this.
CREATE FUNCTION call_record_field(v text) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(int4send(octet_length(v)) || convert_to(v, 'UTF8'), '\xffffffff'::bytea) $$;

CREATE FUNCTION call_record_us(v timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT ((extract(epoch FROM v) * 1000000)::int8)::text $$;

CREATE FUNCTION call_record_hash(r call_record) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT sha256(orderd.call_record_field('orderd.call_record.1') || orderd.call_record_field(encode(r.prev, 'hex'))
	           || orderd.call_record_field(r.tenant::text) || orderd.call_record_field(r.seq::text)
	           || orderd.call_record_field(r.id::text) || orderd.call_record_field(orderd.call_record_us(r.at))
	           || orderd.call_record_field(orderd.call_record_us(r.recorded_at)) || orderd.call_record_field(r.actor)
	           || orderd.call_record_field(r.role) || orderd.call_record_field(r.peer)
	           || orderd.call_record_field(r.method) || orderd.call_record_field(r.request_key)
	           || orderd.call_record_field(r.object) || orderd.call_record_field(r.status::text)
	           || orderd.call_record_field(r.reason) || orderd.call_record_field(r.calls::text)
	           || orderd.call_record_field(r.trace))
$$;

-- Whoever inserts a row: the head's lock makes one chain of what several servers append, in the order in which they commit.
-- One lock per tenant, taken last of all and in the order of tenants (queries/call_recorded.sql).  A row that is there
-- already is not written again: every unit may be asked twice.
CREATE FUNCTION call_record_append() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	head orderd.call_chain;
BEGIN
	SELECT * INTO head FROM orderd.call_chain WHERE tenant = NEW.tenant FOR UPDATE;
	IF NOT FOUND THEN
		INSERT INTO orderd.call_chain VALUES (NEW.tenant, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
		SELECT * INTO head FROM orderd.call_chain WHERE tenant = NEW.tenant FOR UPDATE;
	END IF;
	DELETE FROM orderd.call_begun WHERE (tenant, id) = (NEW.tenant, NEW.id);
	IF EXISTS (SELECT FROM orderd.call_record r WHERE (r.tenant, r.id) = (NEW.tenant, NEW.id)) THEN
		RETURN NULL;
	END IF;
	NEW.seq := head.seq + 1;
	NEW.prev := head.hash;
	NEW.recorded_at := clock_timestamp();
	NEW.hash := orderd.call_record_hash(NEW);
	UPDATE orderd.call_chain SET seq = NEW.seq, hash = NEW.hash WHERE tenant = NEW.tenant;
	RETURN NEW;
END $$;

CREATE TRIGGER call_record_append BEFORE INSERT ON call_record FOR EACH ROW EXECUTE FUNCTION call_record_append();

CREATE FUNCTION call_record_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'call_record is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER call_record_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON call_record
	FOR EACH STATEMENT EXECUTE FUNCTION call_record_refuse();
REVOKE UPDATE, DELETE, TRUNCATE ON call_record FROM PUBLIC;
