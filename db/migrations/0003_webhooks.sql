-- Webhooks: what providers told us, once each, and the way from their names of things to ours.

-- The inbox: an event of a provider is acted upon once.  It holds no body and nothing personal; kept 30 days, ten times
-- longer than providers try again.  An event about nothing of ours lies with tenant 1.
CREATE TABLE webhook_event (
	tenant      int NOT NULL,
	provider    text NOT NULL CHECK (provider IN ('gateway', 'carrier')),
	event_id    text NOT NULL CHECK (length(event_id) BETWEEN 1 AND 255),
	kind        text NOT NULL,
	object_id   text NOT NULL,           -- payment intent, tracking code; '' when it names none
	received_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, provider, event_id)
);
CREATE INDEX webhook_event_age ON webhook_event (received_at); -- no brin: the janitor asks for the oldest, often
ALTER TABLE webhook_event SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);

-- A provider does not know whose its things are: the tenant comes second.
CREATE INDEX payment_attempt_by_gateway_id ON payment_attempt (gateway_id, tenant);
CREATE INDEX shipment_by_tracking_code ON shipment (tracking_code, tenant);

-- The claim during which news came for a running job.  It may have asked the provider just before, so if it puts itself
-- off under that claim it is due at once.  A later claim has another epoch: nothing need be reset.
ALTER TABLE job ADD COLUMN nudged_epoch bigint NOT NULL DEFAULT 0;
