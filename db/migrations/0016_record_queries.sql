-- Calls on record, asked for as auditors ask: about what, by whom, which call, why, when; and kept for as long as is wished.

CREATE INDEX call_record_object ON call_record (tenant, object, seq);
CREATE INDEX call_record_actor ON call_record (tenant, actor, seq);
CREATE INDEX call_record_method ON call_record (tenant, method, seq);
CREATE INDEX call_record_reason ON call_record (tenant, reason, seq);
CREATE INDEX call_record_refused ON call_record (tenant, seq) WHERE status IN (7, 16);
CREATE INDEX call_record_recorded ON call_record (tenant, recorded_at, seq);

-- The oldest rows of a chain may go once the chain itself says so: a row of the method `retention`, whose object is the last
-- row that goes, "seq:hash".  What is left begins behind that, so it is verified as before, and a removal is on record
-- like any call.  Nothing younger than this goes, whoever asks.
CREATE FUNCTION call_record_kept_at_least() RETURNS interval IMMUTABLE PARALLEL SAFE LANGUAGE sql
RETURN interval '30 days';

CREATE FUNCTION call_record_leave() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	said text := (SELECT r.object FROM orderd.call_record r WHERE r.tenant = OLD.tenant AND r.method = 'retention'
	               ORDER BY r.seq DESC LIMIT 1);
BEGIN
	IF said IS NOT NULL AND OLD.seq <= split_part(said, ':', 1)::bigint
	   AND OLD.recorded_at < now() - orderd.call_record_kept_at_least() THEN
		RETURN OLD;
	END IF;
	RAISE EXCEPTION 'call_record is append-only: DELETE refused' USING ERRCODE = 'insufficient_privilege';
END $$;

DROP TRIGGER call_record_kept ON call_record;
CREATE TRIGGER call_record_kept BEFORE UPDATE OR TRUNCATE ON call_record FOR EACH STATEMENT EXECUTE FUNCTION call_record_refuse();
CREATE TRIGGER call_record_leave BEFORE DELETE ON call_record FOR EACH ROW EXECUTE FUNCTION call_record_leave();

-- The only way to remove rows that a program has: the oldest of one chain, those that were written `keep_days` ago and
-- longer, at most `most`; not before a day's worth of them is due, so that a chain has one such mark a day.  Answers how many.
CREATE FUNCTION call_record_cut(keep_days int, most int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orderd, pg_temp AS $$
DECLARE
	before CONSTANT timestamptz := now() - greatest(make_interval(days => keep_days), call_record_kept_at_least());
	whose int;
	last call_record;
	gone bigint;
BEGIN
	IF keep_days IS NULL OR most IS NULL OR most NOT BETWEEN 1 AND 10000 THEN
		RAISE EXCEPTION 'call_record_cut: days, and 1..10000 rows' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT c.tenant INTO whose
	  FROM call_chain c
	 CROSS JOIN LATERAL (SELECT recorded_at FROM call_record r WHERE r.tenant = c.tenant ORDER BY r.tenant, r.seq LIMIT 1) oldest
	 WHERE oldest.recorded_at < before - interval '1 day'
	 ORDER BY c.tenant LIMIT 1;
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	PERFORM FROM call_chain c WHERE c.tenant = whose FOR UPDATE;
	SELECT r.* INTO last
	  FROM (SELECT o.seq, bool_and(o.recorded_at < before) OVER (ORDER BY o.seq) AS due
	          FROM (SELECT * FROM call_record d WHERE d.tenant = whose ORDER BY d.tenant, d.seq LIMIT most) o) old
	  JOIN call_record r ON (r.tenant, r.seq) = (whose, old.seq)
	 WHERE old.due ORDER BY old.seq DESC LIMIT 1;
	IF NOT FOUND THEN
		RETURN 0; -- another was quicker
	END IF;
	gone := last.seq - (SELECT min(seq) FROM call_record WHERE tenant = whose) + 1;
	INSERT INTO call_record (tenant, id, at, actor, role, peer, method, object, status, reason, calls, trace)
	VALUES (whose, gen_random_uuid(), clock_timestamp(), 'janitor', '', '', 'retention',
	        last.seq || ':' || encode(last.hash, 'hex'), 0, 'OK', gone, '');
	DELETE FROM call_record WHERE tenant = whose AND seq <= last.seq;
	RETURN gone;
END $$;

REVOKE EXECUTE ON FUNCTION call_record_cut(int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION call_record_cut(int, int) TO orderd_worker;
