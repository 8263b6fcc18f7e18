/*
 * Every view a program may offer of itself: one row each.
 *
 * Columns: name, the table's columns, sentence.  A column that ends with '>' holds figures;
 * units stand last in its name.  Read by core/base/show.c and docs/views.md.
 */
/* clang-format off */
#define SHOW_TABLE(X) \
	X(views,   "view about",                                                     "the views this program has") \
	X(config,  "setting value unit source line>",                                "every setting, its value and where that came from; secrets are names of files") \
	X(version, "what value",                                                     "program, build, libraries, process") \
	X(memory,  "what bytes> count>",                                             "memory of the process, of its heap and of the flows at work") \
	X(timers,  "due count> next_ms>",                                            "timers that are set, by when they are due") \
	X(flows,   "flow subject step age_ms> waits_for wait_left_ms> left_ms> cause", "flows at work, the oldest first, and the backend each waits for") \
	X(calls,   "method kind peer state age_ms> left_ms> memory_bytes>",          "RPCs that have not ended, the oldest first") \
	X(tenants, "tenant> caller in_flight> most>",                                "calls at work by tenant and by caller, the most first") \
	X(rates,   "tenant> method rate tokens> burst> full_ms>",                    "token buckets that are not full, the emptiest first") \
	X(pools,   "backend pool n> state working> waiting> done> lost> peer version last_error", "connections to PostgreSQL and Redis, and HTTP peers that are being asked") \
	X(batches, "lane n> ago_ms> units> statements> us> outcome sqlstate",        "the last batches of each lane of the store, the latest first") \
	X(watches, "order tenant> state sent> taken> version> held> quiet_ms>",      "order watches, the latest first") \
	X(feeds,   "tenant> followers> behind> kept> read> xid> state",       "tenants whose orders are followed, and what is kept of each") \
	X(streams, "role state room> ahead> out> asks",                              "the readers of the job streams") \
	X(jobs,    "kind job order group> attempts> step age_ms> lease_left_ms> waits_for", "jobs at work") \
	X(chains,  "tenant> seq> hash read_ms>",                                         "where the chains of recorded calls end, for somebody else to keep; read once a minute, read_ms ago") \
	X(states,  "machine from to why",                                            "the states of things and every move there is between them; no `from`: it begins there")
/* clang-format on */
