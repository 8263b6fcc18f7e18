/*
 * Every script of core/queue/lua: one row each, SCRIPT_<name> from <file>.lua.
 * Read by script.h, script.c and the build, which embeds the texts and their digests.
 */
/* clang-format off */
#define SCRIPT_TABLE(X) \
	X(HOLD,         hold) \
	X(HOLD_KEEP,    hold_keep) \
	X(HOLD_RELEASE, hold_release) \
	X(HOLD_DUE,     hold_due) \
	X(RING,         ring) \
	X(ACK,          ack) \
	X(BEAT,         beat) \
	X(TIDY,         tidy) \
	X(GENERATION,   generation) \
	X(EPOCH,        epoch) \
	X(STREAMS,      streams)
/* clang-format on */
