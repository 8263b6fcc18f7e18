-- The feed of a tenant: its events in an order that is final once it was read, though transactions commit as they like.
--
-- An event's place is (xid, order_id, seq).  A reader takes places below the oldest transaction that is still writing, and
-- nothing can come to be there any more.  xid is the event's own transaction's, or that of the event before it in its
-- order when that is greater: who waited for an order's lock may be older than who held it.

ALTER TABLE order_event ADD COLUMN xid xid8 NOT NULL DEFAULT '3'; -- older than any: nobody has a place to read them from
ALTER TABLE order_event ALTER COLUMN xid SET DEFAULT pg_current_xact_id();
CREATE INDEX order_event_feed ON order_event (tenant, xid, order_id, seq) WHERE xid > '3';

-- A trigger, because it must see the event before even when that was committed after the statement began; and what the
-- same statement has just written.  The first event of an order has none before it.
CREATE FUNCTION order_event_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.xid := greatest(NEW.xid, (SELECT e.xid FROM orderd.order_event e
	                               WHERE (e.tenant, e.order_id) = (NEW.tenant, NEW.order_id) AND e.seq < NEW.seq
	                               ORDER BY e.seq DESC
	                               LIMIT 1));
	RETURN NEW;
END $$;
CREATE TRIGGER order_event_place BEFORE INSERT ON order_event FOR EACH ROW WHEN (NEW.seq > 1)
	EXECUTE FUNCTION order_event_place();

-- Transactions are numbered by a cluster.  Where the rows were copied to another one (dump and restore) their numbers mean
-- nothing, and places that clients keep mean nothing either: feeds begin anew, as another epoch.
CREATE TABLE feed_epoch (
	one     boolean PRIMARY KEY DEFAULT true CHECK (one),
	cluster bigint NOT NULL, -- pg_control_system().system_identifier
	epoch   bigint NOT NULL
);
INSERT INTO feed_epoch (cluster, epoch) SELECT system_identifier, 1 FROM pg_control_system();

-- For operators too: after a restore to a point in time, which is the same cluster with another past.
CREATE FUNCTION feed_begin_anew() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('app.tenants', '*', true); -- of everybody
	UPDATE orderd.order_event SET xid = '3' WHERE xid > '3';
	UPDATE orderd.feed_epoch SET cluster = (SELECT system_identifier FROM pg_control_system()), epoch = epoch + 1;
END $$;

-- What `orderd migrate` looks at each time.
CREATE FUNCTION migrated() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF (SELECT cluster FROM orderd.feed_epoch) <> (SELECT system_identifier FROM pg_control_system()) THEN
		PERFORM orderd.feed_begin_anew();
	END IF;
END $$;
