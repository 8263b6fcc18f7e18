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
	X(GAUGE,     rpc_in_flight,    "",        "calls at work") \
	X(COUNTER,   rpc_shed,         "",        "calls refused because too many were at work") \
	X(COUNTER,   auth_refused,     "cause",   "calls refused because nobody knew who made them, by cause") \
	X(GAUGE,     auth_keys,        "",        "API keys that are live") \
	X(GAUGE,     tls_expires,      "",        "when the certificate of tls: listeners ends, in Unix seconds; 0: there is none") \
	X(COUNTER,   webhooks_received, "provider_outcome", "webhooks taken and refused, by provider and what became of them") \
	X(GAUGE,     watch_streams,    "",        "order watches open") \
	X(COUNTER,   watch_events_sent, "",       "events sent to order watches") \
	X(COUNTER,   watch_reads,      "",        "statements that read events for order watches") \
	X(COUNTER,   watch_slow,       "",        "order watches ended because they were not read") \
	X(COUNTER,   flow_ended,       "flow_error", "flows ended, by flow and error name") \
	X(HISTOGRAM, flow_seconds,     "flow",    "life of a flow") \
	X(COUNTER,   step_error,       "step_error", "steps that took their error edge, by flow.step and error name") \
	X(COUNTER,   store_units,      "kind",    "units settled by a commit") \
	X(COUNTER,   store_batches,    "lane",    "batches sent") \
	X(COUNTER,   store_again,      "reason",  "batches asked again") \
	X(GAUGE,     store_waiting,    "lane",    "units waiting for a batch") \
	X(HISTOGRAM, store_batch_seconds, "lane", "from BEGIN sent to Sync received") \
	X(COUNTER,   store_reconnects, "lane",    "connections made") \
	X(GAUGE,     store_up,         "lane",    "connections ready") \
	X(GAUGE,     queue_up,         "",        "1 while Redis answers") \
	X(COUNTER,   queue_rung,       "role",    "job ids put on a stream") \
	X(COUNTER,   queue_rebuilds,   "",        "generations rebuilt after Redis lost its data") \
	X(COUNTER,   hold_asked,       "outcome", "stock holds asked, by outcome") \
	X(COUNTER,   http_calls,       "host_code", "provider calls, by host and status or error") \
	X(HISTOGRAM, http_seconds,     "host",    "provider calls") \
	X(COUNTER,   job_claimed,      "kind",    "jobs claimed") \
	X(COUNTER,   job_stale,        "kind",    "jobs somebody else had settled") \
	X(COUNTER,   job_done,         "kind",    "jobs completed") \
	X(COUNTER,   job_retried,      "kind",    "jobs put off for a retry") \
	X(COUNTER,   job_dead,         "kind",    "jobs buried after their last attempt") \
	X(GAUGE,     jobs_running,     "role",    "jobs at work")
/* clang-format on */
