-- Tenants kept apart a second time, by the database: a statement that forgets whose rows it may touch finds none of
-- another's.  The store tells each statement the tenants of the units it is for (app.tenants, local to the transaction), or '*'
-- for kinds that work across tenants; nothing told, nothing seen.  docs/adr/0014-row-security.md has the reasons.

-- Who the programs act as.  None owns anything, passes a policy by, or may log in: a program's user takes its role.
DO $$
DECLARE
	role text;
BEGIN
	FOREACH role IN ARRAY ARRAY['orderd_server', 'orderd_worker', 'orderd_audit'] LOOP
		CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = role);
		EXECUTE format('CREATE ROLE %I NOLOGIN', role);
		EXECUTE format('GRANT %I TO CURRENT_USER', role);
	END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
	RAISE EXCEPTION 'user % may not create the roles orderd_server, orderd_worker and orderd_audit', current_user
		USING HINT = format('As a superuser: CREATE ROLE orderd_server; CREATE ROLE orderd_worker; CREATE ROLE orderd_audit; '
			'GRANT orderd_server, orderd_worker, orderd_audit TO %I; then migrate again.', current_user);
END $$;

-- What they may do: no tables of their own, nothing emptied.  What is history is added to and never changed.
GRANT USAGE ON SCHEMA orderd TO orderd_server, orderd_worker, orderd_audit;
GRANT SELECT ON ALL TABLES IN SCHEMA orderd TO orderd_server, orderd_worker, orderd_audit;
GRANT INSERT, UPDATE ON ALL TABLES IN SCHEMA orderd TO orderd_server, orderd_worker;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA orderd TO orderd_server, orderd_worker;
GRANT DELETE ON shipment_rate, webhook_event, gateway_payment TO orderd_worker;
GRANT DELETE ON call_begun TO orderd_server, orderd_worker;
REVOKE UPDATE ON order_event, call_record, stock_movement, stock_document, payment_transaction, shipment_scan, operator_action, request, contact
  FROM orderd_server, orderd_worker;
REVOKE INSERT, UPDATE ON tenant, schema_migration, feed_epoch FROM orderd_server, orderd_worker;

-- The same for tables that come later; UPDATE and DELETE are given to those that need them.
ALTER DEFAULT PRIVILEGES IN SCHEMA orderd GRANT SELECT ON TABLES TO orderd_server, orderd_worker, orderd_audit;
ALTER DEFAULT PRIVILEGES IN SCHEMA orderd GRANT INSERT ON TABLES TO orderd_server, orderd_worker;
ALTER DEFAULT PRIVILEGES IN SCHEMA orderd GRANT USAGE ON SEQUENCES TO orderd_server, orderd_worker;

-- '' is what is left of a setting that was local to an earlier transaction; '*' is refused here as no array of int.
CREATE FUNCTION told_tenants() RETURNS int[] STABLE PARALLEL SAFE LANGUAGE sql
RETURN nullif(current_setting('app.tenants', true), '')::int[];

CREATE FUNCTION told_all_tenants() RETURNS boolean STABLE PARALLEL SAFE LANGUAGE sql
RETURN coalesce(current_setting('app.tenants', true) = '*', false);

-- Puts the policies on a table; a migration that makes one with a column `tenant` calls it.
--   told         a row is there for those who were told its tenant
--   told_or_all  the same, or for those who were told '*'
-- The sub-selects run once a statement.  CASE, so that neither form becomes a condition of an index, where it would cost the
-- order that the index has: it is a filter upon what the statement's own conditions find.  IS NOT NULL, because the planner
-- takes that to hold for nearly every row, which is so; told less, it expects few rows and sorts a whole backlog for the first.
CREATE FUNCTION keep_tenants_apart(of regclass, server_may_look_everywhere boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SET search_path = orderd AS $$
DECLARE
	mine        CONSTANT text := 'WHEN tenant = ANY ((SELECT orderd.told_tenants())::int[]) THEN 1';
	told        CONSTANT text := format('CASE %s END IS NOT NULL', mine);
	told_or_all CONSTANT text := format('CASE WHEN (SELECT orderd.told_all_tenants()) THEN 1 %s END IS NOT NULL', mine);
BEGIN
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', of);
	EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', of);
	EXECUTE format('CREATE POLICY worker ON %s TO orderd_worker USING (%s) WITH CHECK (%2$s)', of, told_or_all);
	EXECUTE format('CREATE POLICY owner ON %s TO %I USING (%s) WITH CHECK (%3$s)', of, current_user, told_or_all);
	EXECUTE format('CREATE POLICY audit ON %s FOR SELECT TO orderd_audit USING ((SELECT orderd.told_all_tenants()))', of);
	IF server_may_look_everywhere THEN
		EXECUTE format('CREATE POLICY server_select ON %s FOR SELECT TO orderd_server USING (%s)', of, told_or_all);
		EXECUTE format('CREATE POLICY server_insert ON %s FOR INSERT TO orderd_server WITH CHECK (%s)', of, told);
		EXECUTE format('CREATE POLICY server_update ON %s FOR UPDATE TO orderd_server USING (%s) WITH CHECK (%2$s)', of, told);
		EXECUTE format('CREATE POLICY server_delete ON %s FOR DELETE TO orderd_server USING (%s)', of, told);
	ELSE
		EXECUTE format('CREATE POLICY server ON %s TO orderd_server USING (%s) WITH CHECK (%2$s)', of, told);
	END IF;
END $$;

-- Where orderd itself may look at all tenants' rows: who calls (api_keys_live), whose a provider's event is (webhook_find),
-- how much is in the queues (queue_list), whose calls have lapsed and where their chains end (calls_lapsed, call_heads).
SELECT keep_tenants_apart(c.oid, c.relname IN ('api_key', 'call_begun', 'call_chain', 'job', 'orders', 'payment_attempt', 'shipment'))
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
 WHERE c.relnamespace = 'orderd'::regnamespace AND c.relkind IN ('r', 'p');
