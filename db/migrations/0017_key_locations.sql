-- A key may name the locations that its bearer reaches, their codes one a line; absent: all of its tenant.  They need not be
-- there yet.  Whoever acts for one customer has no use for them.
ALTER TABLE api_key ADD COLUMN locations text CHECK (length(locations) BETWEEN 1 AND 512);
ALTER TABLE api_key ADD CONSTRAINT api_key_of_one_kind CHECK (customer IS NULL OR locations IS NULL);

DROP TRIGGER api_key_changed ON api_key;
CREATE TRIGGER api_key_changed
 AFTER INSERT OR DELETE OR UPDATE OF tenant, kid, name, slot, mac, role, scopes, customer, locations, expires_at, revoked_at
    ON api_key FOR EACH ROW EXECUTE FUNCTION api_key_changed();
