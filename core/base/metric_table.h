/*
 * Every metric: one row each.  Columns: kind, name, label ("" for none), help.
 * Counters only rise; gauges are set; histograms take microseconds and are shown in
 * seconds.  Read by core/base/metric.c and docs/metrics.md.
 */
/* clang-format off */
#define METRIC_TABLE(X) \
	X(COUNTER,   rpc_started,      "method",  "calls taken") \
	X(COUNTER,   rpc_handled,      "method_code", "calls answered, by method and error name") \
	X(HISTOGRAM, rpc_seconds,      "method",  "from arrival to the answer handed to gRPC") \
	X(GAUGE,     rpc_in_flight,    "class",   "calls at work: work, watch (streams that mostly wait), probe (health)") \
	X(GAUGE,     rpc_limit,        "class",   "calls that may be at work (max_in_flight, max_watches); one more is refused") \
	X(COUNTER,   rpc_shed,         "cause",   "calls refused because of load: work, watch, probe (as many of the class at work), late (calls waited too long for the loop), tenant, caller (its share at work), rate") \
	X(GAUGE,     held_silent,      "socket",  "callers on a socket of systemd's (listen = fd:NAME) who are connected and have said nothing yet") \
	X(COUNTER,   held_closed,      "cause",   "connections there that were closed unserved: mute (nothing said in 10 s), crowded (too many who say nothing), files (no descriptor number left)") \
	X(COUNTER,   held_pauses,      "",        "times that accepting there was put off for 100 ms, for lack of files mostly") \
	X(COUNTER,   auth_refused,     "cause",   "calls refused because nobody knew who made them, by cause") \
	X(COUNTER,   call_records,     "",        "calls put on record") \
	X(COUNTER,   call_records_folded, "",     "refused calls told on record by a row they share with others") \
	X(COUNTER,   call_records_lost, "",       "calls that went off the record: there was no room, or this process ended first") \
	X(GAUGE,     call_records_waiting, "",    "rows that are to go on record") \
	X(GAUGE,     auth_keys,        "",        "API keys that are live") \
	X(GAUGE,     tls_expires,      "",        "when the certificate of tls: listeners ends, in Unix seconds; 0: there is none") \
	X(COUNTER,   webhooks_received, "provider_outcome", "webhooks taken and refused, by provider and what became of them") \
	X(GAUGE,     watch_streams,    "",        "order watches open") \
	X(COUNTER,   watch_events_sent, "",       "events sent to order watches") \
	X(COUNTER,   watch_reads,      "",        "statements that read events for order watches") \
	X(COUNTER,   watch_slow,       "",        "order watches ended because they were not read") \
	X(GAUGE,     feed_streams,     "",        "feeds of orders open (WatchOrders)") \
	X(COUNTER,   feed_events_sent, "",        "events sent to them") \
	X(COUNTER,   feed_reads,       "",        "times a tenant's new events were read for them") \
	X(COUNTER,   feed_catch_ups,   "",        "pages read for one that was behind what is kept in memory") \
	X(GAUGE,     feed_held_up_seconds, "",    "how long the oldest committed event has waited for an older transaction to end; it delays feeds") \
	X(COUNTER,   flow_ended,       "flow_error", "flows ended, by flow and error name") \
	X(HISTOGRAM, flow_seconds,     "flow",    "life of a flow") \
	X(COUNTER,   step_error,       "step_error", "steps that took their error edge, by flow.step and error name") \
	X(COUNTER,   store_units,      "kind",    "units settled by a commit") \
	X(COUNTER,   store_batches,    "lane",    "batches sent") \
	X(COUNTER,   store_again,      "reason",  "batches asked again") \
	X(GAUGE,     store_waiting,    "lane",    "units waiting for a batch") \
	X(GAUGE,     store_limit,      "lane",    "units that may wait (lane_bound); one more is refused") \
	X(COUNTER,   store_refused,    "lane_cause", "units refused: full (as many wait as may), late (they waited too long)") \
	X(COUNTER,   store_dropped,    "lane_cause", "units dropped before they were sent: gone (nobody waits any more), deadline (it has passed, or would before an answer could come)") \
	X(HISTOGRAM, store_wait_seconds, "lane",  "from asking a unit to its batch leaving") \
	X(HISTOGRAM, store_batch_seconds, "lane", "from BEGIN sent to Sync received") \
	X(COUNTER,   store_reconnects, "lane",    "connections made") \
	X(GAUGE,     store_up,         "lane",    "connections ready") \
	X(GAUGE,     queue_up,         "",        "1 while Redis answers") \
	X(COUNTER,   queue_rung,       "role",    "job ids put on a stream") \
	X(COUNTER,   queue_rung_again, "role",    "job ids the janitor put on a stream, because nobody had taken them") \
	X(GAUGE,     queue_ready,      "role",    "due jobs nobody has taken, as the janitor last counted them; 100000 in all mean as many or more") \
	X(GAUGE,     queue_oldest_seconds, "role", "how long the oldest of them has been due") \
	X(GAUGE,     queue_dead,       "role",    "dead jobs, which a person must look at") \
	X(GAUGE,     order_holds,      "reason",  "orders, or their parcels, that wait for a person") \
	X(GAUGE,     sweep_timestamp_seconds, "", "when the janitor last finished a sweep without an error, Unix time; 0: not yet") \
	X(COUNTER,   queue_rebuilds,   "",        "generations rebuilt after Redis lost its data") \
	X(COUNTER,   hold_asked,       "outcome", "stock holds asked, by outcome") \
	X(COUNTER,   http_calls,       "host_code", "provider calls, by host and status or error") \
	X(HISTOGRAM, http_seconds,     "host",    "provider calls") \
	X(GAUGE,     http_in_flight,   "host",    "provider calls and mails under way") \
	X(COUNTER,   job_claimed,      "kind",    "jobs claimed") \
	X(HISTOGRAM, job_wait_seconds, "role",    "from the time a job was due to its claim") \
	X(COUNTER,   job_stale,        "role",    "jobs somebody else had settled") \
	X(COUNTER,   job_done,         "kind",    "jobs completed") \
	X(COUNTER,   job_retried,      "kind",    "jobs put off for a retry") \
	X(COUNTER,   job_dead,         "kind",    "jobs buried after their last attempt") \
	X(GAUGE,     jobs_running,     "role",    "jobs at work") \
	X(GAUGE,     invariant_violations, "check", "rows that broke a rule of db/audit when it was last answered") \
	X(HISTOGRAM, audit_seconds,    "check",   "from asking a rule to its answer") \
	X(COUNTER,   audit_runs,       "check_outcome", "rules asked: holds, broken, or failed when there was no answer") \
	X(GAUGE,     audit_answered_timestamp_seconds, "check", "when a rule was last answered") \
	X(GAUGE,     gateway_walked_timestamp_seconds, "", "payments the gateway made until then were all read; 0: none yet") \
	X(GAUGE,     jobs_limit,       "role",    "jobs that may be at work (concurrency)") \
	X(COUNTER,   mails,            "outcome", "mails to customers that were sent, refused for good, or suppressed") \
	X(COUNTER,   sim_calls,        "vendor_code", "calls orderd-sim answered, by status")
/* clang-format on */
