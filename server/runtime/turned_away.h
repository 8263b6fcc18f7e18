/*
 * Who was refused a moment ago for want of a seat: the poller refuses what comes next from there
 * unread.
 *
 * In a flood nearly every call is refused, and each would cost the loop a look at its credential,
 * only to hear what the one before it heard.  So the loop notes what it said, by the caller's
 * fingerprint (auth.h) and the seat that was not to be had; the poller says it again until such a
 * seat is given back.  Then, and after every TURNED_AWAY_USES, a call goes through to the loop,
 * which sees for itself and says anew how long to stay away.
 *
 * A note that is written over by another's costs that look, no more; so the table has a fixed size.
 */
#ifndef ORDERD_SERVER_TURNED_AWAY_H
#define ORDERD_SERVER_TURNED_AWAY_H

#include "server/runtime/admission.h"
#include "server/runtime/status.h"

enum {
	TURNED_AWAY_PLACES = 256,
	TURNED_AWAY_USES = 64,
};

struct seat;
struct turned_away;

/* What was said, and under which cause it is counted. */
struct refusal {
	enum shed_cause cause;
	struct status status;
};

struct turned_away *turned_away_new(void);
void turned_away_free(struct turned_away *t);

/* Loop thread.  Takes what `take` holds. */
void turned_away_note(struct turned_away *t, uint64_t fingerprint, const struct seat *missed,
		      struct refusal *take);

/* Loop thread: one more of these seats is to be had. */
void turned_away_forget(struct turned_away *t, const struct seat *seat);

/* Any thread: whether there are notes at all. */
bool turned_away_any(const struct turned_away *t);

/* Any thread: what to say; the caller ends it with status_done(). */
bool turned_away_again(struct turned_away *t, uint64_t fingerprint, struct refusal *ret);

#endif
