/*
 * Every setting of every program: one row each.
 *
 * Columns: kind (INT, TEXT, FLAG), field, default, least, most, unit, sentence.
 * For INT `least..most` are values; for TEXT the most is a length in bytes.  Sources in
 * rising order: this default, the file named by --config (`field = value` lines), the
 * environment (ORDERD_FIELD), the command line (--field=value, dashes for underscores).
 * Read by core/base/config.c and docs/configuration.md.
 */
/* clang-format off */
#define CONFIG_TABLE(X) \
	/* orderd: what it listens on */ \
	X(TEXT, http_listen,         "127.0.0.1:7071", 0, 256,  "", "ops HTTP listener (/metrics, /healthz, /show); empty for none") \
	X(TEXT, listen,              "127.0.0.1:7070", 0, 1024, "", "gRPC listeners, comma separated: host:port, tls:host:port, unix:/path, edge:unix:/path (nginx in front), or fd:NAME and edge:fd:NAME, a socket that systemd holds; what is neither loopback nor unix must be tls:") \
	X(TEXT, webhook_listen,      "",        0, 256,     "", "listener for providers' webhooks (/webhooks/gateway, /webhooks/carrier), any address: they are signed; empty for none") \
	X(TEXT, gateway_webhook_secret_file, "", 0, 1024,   "", "file with the gateway's webhook secret, one a line while it is changed; empty: 404") \
	X(TEXT, carrier_webhook_secret_file, "", 0, 1024,   "", "file with the carrier's webhook secret, one a line while it is changed; empty: 404") \
	X(INT,  webhook_max_kib,     256,       1, 4096,    "KiB",   "one webhook's body") \
	X(TEXT, auth,                "",        0, 16,      "", "required: every call shows a credential; none: every caller is tenant 1's administrator, loopback and unix listeners only") \
	X(TEXT, api_key_pepper_file, "",        0, 1024,    "", "file with the secret (64 hex digits) that API keys are hashed with; empty: API keys are not taken") \
	X(INT,  api_key_stale_s,     300,       5, 86400,   "s",     "API keys as last read are believed so long while PostgreSQL is away; while it is there they are read every 2 s") \
	X(TEXT, jwt_jwks_file,       "",        0, 1024,    "", "file with the issuer's public keys (JWKS: ES256, EdDSA); empty: JSON Web Tokens are not taken") \
	X(TEXT, jwt_issuer,          "",        0, 256,     "", "iss that a token must have") \
	X(TEXT, jwt_audience,        "",        0, 256,     "", "aud that a token must have, or have among others") \
	X(TEXT, jwt_type,            "at+jwt",  1, 64,      "", "typ that a token must have; RFC 9068 says at+jwt, older issuers JWT") \
	X(TEXT, jwt_roles,           "customer", 0, 128,    "", "roles that the issuer may give, comma separated") \
	X(TEXT, jwt_tenant_claim,    "tenant",  1, 64,      "", "claim with the tenant's number") \
	X(TEXT, jwt_role_claim,      "role",    1, 64,      "", "claim with the role") \
	X(TEXT, jwt_customer_claim,  "sub",     1, 64,      "", "claim with the customer, of role customer") \
	X(TEXT, jwt_locations_claim, "locations", 1, 64,    "", "claim with the codes of the only locations reached, of other roles") \
	X(INT,  jwt_life_s,          3600,      60, 604800, "s",     "a token that is good for longer than this is refused") \
	X(TEXT, auth_deny_file,      "",        0, 1024,    "", "file with what is not taken though it is good: a token's jti or a client certificate's URI a line") \
	X(INT,  operator_tenant,     1,         1, 2147483647, "",   "the tenant whose operators see and pause what all tenants share: queues, views") \
	X(TEXT, tls_cert_file,       "",        0, 1024,    "", "PEM file with the certificate of tls: listeners and those between it and the root") \
	X(TEXT, tls_key_file,        "",        0, 1024,    "", "PEM file with its private key") \
	X(TEXT, tls_client_ca_file,  "",        0, 1024,    "", "PEM file with the CAs of client certificates; empty: none is asked for") \
	X(TEXT, tls_client_uri,      "orderd://", 1, 256,   "", "how the URI in a client certificate begins; tenant/<n>/role/<role>/<name> follows") \
	X(INT,  auth_reload_s,       60,        1, 86400,   "s",     "certificates, issuer's keys, deny list and rate rules are read again so often, and on SIGHUP") \
	X(INT,  drain_s,             30,        0, 3600,    "s",     "how long running work may go on after SIGTERM") \
	X(INT,  lame_duck_ms,        0,         0, 60000,   "ms",    "how long to serve on as NOT_SERVING before refusing new calls") \
	X(INT,  max_in_flight,       2000,      1, 100000,  "calls", "calls at work in this process; one more is RESOURCE_EXHAUSTED") \
	X(INT,  max_in_flight_tenant, 500,      1, 100000,  "calls", "of them, calls of one tenant") \
	X(INT,  max_in_flight_caller, 250,      1, 100000,  "calls", "of those, calls of one caller (API key, certificate, token's subject)") \
	X(INT,  rate_limit,          0,         0, 1000000, "calls/s", "calls of one method by one tenant, where no rule of rate_limits_file says another; 0: no limit") \
	X(INT,  rate_burst,          1000,      1, 1000000, "calls", "so many of them at once") \
	X(TEXT, rate_limits_file,    "",        0, 1024,    "", "file with rules, a line each: tenant or *, method's path or *, rate (20/s, 5/m, none), burst; read again on SIGHUP") \
	X(INT,  queue_wait_ms,       200,       0, 60000,   "ms",    "a queue in which everything waits longer than this takes no more; 0: queues are bounded by number alone") \
	X(INT,  max_streams,         200,       1, 10000,   "calls", "concurrent calls on one connection") \
	X(INT,  connection_age_ms,   300000,    100, 86400000, "ms", "a connection so old is given up: its client makes another, and may find another server") \
	X(INT,  connection_grace_ms, 600000,    100, 86400000, "ms", "how long calls and watches of such a connection may go on") \
	X(INT,  connection_idle_ms,  900000,    100, 86400000, "ms", "a connection without a call for so long is closed") \
	X(INT,  max_watches,         10000,     1, 1000000, "streams", "streams that mostly wait (health, order watches) in this process") \
	X(INT,  max_watches_each,    1000,      1, 1000000, "streams", "order watches of one caller in this process; where auth is none nobody is told from another, and max_watches alone counts") \
	X(INT,  max_request_kib,     512,       1, 4096,    "KiB",   "one request message") \
	X(INT,  max_lines,           5000,      1, 5000,    "lines", "lines of one order") \
	X(INT,  max_page,            200,       1, 1000,    "rows",  "largest page of a list") \
	X(INT,  default_deadline_ms, 10000,     100, 600000, "ms",   "deadline of a call that brings none") \
	X(INT,  arena_kib,           256,       64, 65536,  "KiB",   "memory of one ordinary flow; large requests get 64 times as much") \
	X(INT,  grpc_quota_mib,      128,       16, 4096,   "MiB",   "buffers of the gRPC library") \
	X(TEXT, mail_from,           "",        0, 256,     "", "sender of mails to customers, e.g. Shop <orders@shop.example>; empty: no order gets mails") \
	X(INT,  reservation_s,       900,       1, 604800,  "s",     "how long an unpaid order holds its stock") \
	X(INT,  watch_poll_ms,       1000,      20, 60000,  "ms",    "watched orders are looked at so often when no hint comes") \
	X(INT,  watch_slow_ms,       30000,     100, 3600000, "ms",  "a watcher that has not taken a message for so long is ended") \
	X(INT,  watch_heartbeat_ms,  30000,     100, 3600000, "ms",  "a watcher that was sent nothing for so long is sent a heartbeat") \
	X(TEXT, sscc_prefix,         "09520000", 0, 16,     "", "SSCC extension digit and GS1 company prefix of parcels, 7 to 11 digits; the default's 952 is GS1's for demonstrations") \
	/* all: PostgreSQL */ \
	X(TEXT, postgres,            "",        0, 1024,    "", "libpq connection string, e.g. host=/run/postgresql dbname=orderd user=orderd") \
	X(INT,  order_connections,   2,         1, 16,      "",      "connections of the order lane") \
	X(INT,  read_connections,    2,         1, 16,      "",      "connections of the read lane") \
	X(INT,  lane_bound,          4096,      1, 1000000, "units", "units waiting per lane; one more is RESOURCE_EXHAUSTED") \
	X(INT,  statement_timeout_ms, 5000,     100, 600000, "ms",   "PostgreSQL statement_timeout") \
	X(TEXT, contact_key_file,    "",        0, 1024,    "", "file with the 32-byte key (64 hex digits) that seals names and addresses") \
	/* all: Redis */ \
	X(TEXT, redis,               "",        0, 1024,    "", "host:port or unix:/path; empty: work without Redis, from PostgreSQL alone") \
	X(INT,  redis_timeout_ms,    200,       10, 10000,  "ms",    "deadline of one Redis command") \
	X(INT,  stream_window,       50000,     100, 10000000, "entries", "a stream that holds this many is not rung again") \
	X(INT,  hold_s,              30,        1, 3600,    "s",     "life of a Redis stock hold; PostgreSQL decides within it") \
	/* orderd-worker */ \
	X(TEXT, roles,               "payment,fulfillment,shipping,notification,janitor", 0, 256, "", "roles of this worker, comma separated") \
	X(TEXT, worker_http_listen,  "127.0.0.1:0", 0, 256, "", "the worker's ops HTTP listener (/metrics, /healthz, /show), loopback only; port 0: any free one, printed at start; empty for none") \
	X(INT,  concurrency,         64,        1, 10000,   "flows", "jobs at work per role") \
	X(INT,  lease_s,             15,        1, 3600,    "s",     "a claimed job is somebody else's after this long without a word") \
	X(INT,  job_deadline_s,      120,       1, 3600,    "s",     "a job's flow is cut after this long") \
	X(INT,  max_attempts,        720,       1, 1000000, "",      "a job that failed this often is dead: kept, shown, replayable; 12 hours at the longest pause") \
	X(INT,  backoff_base_ms,     500,       1, 600000,  "ms",    "first pause before a retry") \
	X(INT,  backoff_cap_s,       60,        1, 86400,   "s",     "longest pause before a retry") \
	X(INT,  resource_retry_s,    300,       1, 86400,   "s",     "pause before stock is looked for again for an order that waits for some") \
	X(INT,  sweep_ms,            2000,      50, 600000, "ms",    "pause between two sweeps of the janitor") \
	X(INT,  audit_s,             300,       0, 86400,   "s",     "pause of the janitor between two rounds through the rules of db/audit, and through the gateway's payments; 0: off") \
	X(INT,  audit_timeout_s,     60,        1, 3600,    "s",     "PostgreSQL statement_timeout of one rule") \
	X(TEXT, gateway_url,         "",        0, 1024,    "", "payment gateway, Stripe wire API: http(s)://host[:port]") \
	X(TEXT, gateway_key_file,    "",        0, 1024,    "", "file with the gateway's secret key") \
	X(TEXT, carrier_url,         "",        0, 1024,    "", "carrier, EasyPost wire API: http(s)://host[:port]") \
	X(TEXT, carrier_key_file,    "",        0, 1024,    "", "file with the carrier's API key") \
	X(INT,  http_timeout_ms,     10000,     10, 120000, "ms",    "deadline of one provider call") \
	X(INT,  http_connections,    32,        1, 1024,    "",      "connections to one provider") \
	X(INT,  http_body_kib,       1024,      1, 65536,   "KiB",   "largest answer a provider may give") \
	X(TEXT, ca_file,             "",        0, 1024,    "", "CA certificates for providers; empty: the system's") \
	X(TEXT, payment_return_url,  "",        0, 1024,    "", "where the bank sends a customer back to who has confirmed a payment; empty: a payment that must be confirmed is declined") \
	X(INT,  action_poll_ms,      60000,     100, 86400000, "ms", "pause between two looks at a payment that waits for its customer, or for another job") \
	X(INT,  renew_ahead_s,       86400,     0, 2592000, "s",     "an authorization of goods not yet shipped is renewed this long before it ends") \
	X(INT,  call_record_days,    0,         0, 36500,   "days",  "calls on record are removed when they are so old, and the record says so; 0: never, less than 30: not before they are 30") \
	X(TEXT, smtp_url,            "",        0, 1024,    "", "mail server: smtp(s)://host[:port][/name to say EHLO with]") \
	X(TEXT, smtp_tls,            "required", 0, 8,      "", "required: no mail without TLS (STARTTLS, or smtps); try: where the server offers it; none") \
	X(TEXT, smtp_user,           "",        0, 256,     "", "who to log in as at the mail server; empty: nobody") \
	X(TEXT, smtp_password_file,  "",        0, 1024,    "", "file with that user's password") \
	X(INT,  smtp_timeout_ms,     30000,     10, 100000, "ms",    "deadline of one mail") \
	X(TEXT, shop_name,           "",        0, 128,     "", "name that mails are signed with; empty: the name in mail_from") \
	X(TEXT, tracking_url,        "",        0, 1024,    "", "where a parcel can be followed when its carrier does not say: http(s)://..., with {code} in it") \
	X(INT,  track_poll_ms,       300000,    100, 86400000, "ms", "pause between two looks at a parcel under way") \
	/* all */ \
	X(TEXT, log_level,           "info",    0, 8,       "", "debug, info, warn or error") \
	X(TEXT, access_log,          "errors",  0, 8,       "", "orderd: calls that have a line in the log when they end: off, errors (at most 500 a second) or all") \
	X(TEXT, log_format,          "logfmt",  0, 8,       "", "logfmt (key=value) or json (the same keys, an object a line), on stderr")
/* clang-format on */
