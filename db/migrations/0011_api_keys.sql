-- API keys: who may call, each known by an id (kid) and a secret that is not here.

CREATE TABLE api_key (
	tenant       int NOT NULL REFERENCES tenant,
	kid          text NOT NULL CHECK (kid ~ '^[0-9a-z]{16}$'),
	name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 128), -- whose it is; a word, nothing personal
	slot         smallint NOT NULL CHECK (slot IN (1, 2)),
	mac          bytea NOT NULL CHECK (length(mac) = 32),              -- HMAC-SHA-256(pepper, kid || secret)
	role         text NOT NULL CHECK (role IN ('customer', 'service', 'mes', 'ops_read', 'ops_write', 'ops_admin')),
	scopes       text NOT NULL,
	customer     text CHECK (length(customer) BETWEEN 1 AND 128),      -- the only one it may act for
	created_at   timestamptz NOT NULL DEFAULT now(),
	created_by   text NOT NULL,
	expires_at   timestamptz NOT NULL CHECK (expires_at > created_at),
	revoked_at   timestamptz,                                          -- also when it had expired and gave its place away
	revoked_by   text,
	last_used_at timestamptz,                                          -- to the hour
	PRIMARY KEY (tenant, kid),
	CONSTRAINT api_key_of_a_customer CHECK (role <> 'customer' OR customer IS NOT NULL),
	CONSTRAINT api_key_revoked CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);

-- Two at a time, so that one can be changed for the other; no third that nobody remembers.
CREATE UNIQUE INDEX api_key_two_live ON api_key (tenant, name, slot) WHERE revoked_at IS NULL;

-- Every orderd holds the live keys in memory and asks often whether that is still all of them: one row tells.
CREATE TABLE api_key_change (
	one     boolean PRIMARY KEY DEFAULT true CHECK (one),
	version bigint NOT NULL
);
INSERT INTO api_key_change (version) VALUES (1);

CREATE FUNCTION api_key_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO orderd.api_key_change AS c (version) VALUES (1) ON CONFLICT (one) DO UPDATE SET version = c.version + 1;
	RETURN NULL;
END $$;

-- Not when it was used: that is written often and changes nothing.  For each row: a statement that finds none is no change.
CREATE TRIGGER api_key_changed
 AFTER INSERT OR DELETE OR UPDATE OF tenant, kid, name, slot, mac, role, scopes, customer, expires_at, revoked_at
    ON api_key FOR EACH ROW EXECUTE FUNCTION api_key_changed();
