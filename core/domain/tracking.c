#include "core/domain/tracking.h"

#include <assert.h>
#include <string.h>

#include "core/domain/tracking_table.h"

struct status {
	const char *word, *state;
	int16_t rank;
	const char *exception;
};

struct detail {
	const char *word, *exception;
};

#define STATUS_ROW(word, state, rank, exception) {word, state, rank, exception},
static const struct status statuses[] = {TRACKING_STATUS_TABLE(STATUS_ROW)};
#define DETAIL_ROW(word, exception) {word, exception},
static const struct detail details[] = {TRACKING_DETAIL_TABLE(DETAIL_ROW)};

enum { RANK_ACCEPTED = 2, RANK_DELIVERED = 4 };

static const struct status *status_of(struct str word)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (str_eq(str_of(statuses[i].word), word))
			return &statuses[i];
	return NULL;
}

static const char *exception_of(const struct status *s, struct str detail)
{
	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++)
		if (str_eq(str_of(details[i].word), detail))
			return details[i].exception;
	return s->exception;
}

const char *tracking_fate_name(enum tracking_fate fate)
{
	static const char *const names[] = {[TRACKING_UNDER_WAY] = "handed_over",
					    [TRACKING_LOST] = "lost",
					    [TRACKING_DELIVERED] = "delivered",
					    [TRACKING_RETURNED] = "returned"};

	return names[fate];
}

bool tracking_status_known(struct str status)
{
	return status_of(status) != NULL;
}

static bool begins_leg_2(const struct status *s)
{
	return s != NULL && s->state != NULL && strcmp(s->state, "return_to_sender") == 0;
}

static int order(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

/*
 * Of two states the one further on, of two as far the newer; of two at one time the text decides,
 * so that the order in which they were told does not.
 */
static bool is_further(const struct status *s, int64_t at_us, const struct tracking *than,
		       int64_t than_at_us)
{
	if (s->rank != than->rank)
		return s->rank > than->rank;
	if (at_us != than_at_us)
		return at_us > than_at_us;
	return order(s->state, than->state) > 0;
}

static void find_place(const struct tracking_scan *scans, uint32_t n, int64_t from_us,
		       struct tracking *t)
{
	int64_t at_us = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct status *s = status_of(scans[i].status);

		if (s == NULL || s->rank == 0)
			continue;
		t->accepted = t->accepted || s->rank >= RANK_ACCEPTED || begins_leg_2(s);
		if (scans[i].at_us < from_us || !is_further(s, scans[i].at_us, t, at_us))
			continue;
		t->rank = s->rank;
		t->state = s->state;
		at_us = scans[i].at_us;
	}
}

struct word {
	int64_t at_us;
	int16_t rank;
	const char *exception;
};

/*
 * The newer one; of two at one time what is delivered is delivered, then trouble counts more than
 * none, and the rest is decided so that the order of telling does not.
 */
static bool is_newer(struct word a, struct word b)
{
	bool a_ends = a.rank == RANK_DELIVERED, b_ends = b.rank == RANK_DELIVERED;

	if (a.at_us != b.at_us)
		return a.at_us > b.at_us;
	if (a_ends != b_ends)
		return a_ends;
	return order(a.exception, b.exception) > 0;
}

/* A word that says neither where it is nor what is wrong is no news. */
static void find_exception(const struct tracking_scan *scans, uint32_t n, struct tracking *t)
{
	struct word last = {.at_us = INT64_MIN};

	for (uint32_t i = 0; i < n; i++) {
		const struct status *s = status_of(scans[i].status);
		struct word word = {.at_us = scans[i].at_us};

		if (s == NULL)
			continue;
		word.rank = s->rank;
		word.exception = exception_of(s, scans[i].detail);
		if ((word.rank > 0 || word.exception != NULL) && is_newer(word, last))
			last = word;
	}
	t->exception = last.exception;
}

struct tracking tracking_fold(const struct tracking_scan *scans, uint32_t n)
{
	struct tracking t = {.leg = 1};
	int64_t turned_us = INT64_MAX;

	assert(n == 0 || scans != NULL);
	for (uint32_t i = 0; i < n; i++)
		if (begins_leg_2(status_of(scans[i].status)) && scans[i].at_us < turned_us) {
			turned_us = scans[i].at_us;
			t.leg = 2;
		}
	find_place(scans, n, t.leg == 2 ? turned_us : INT64_MIN, &t);
	find_exception(scans, n, &t);
	if (t.rank == RANK_DELIVERED)
		t.fate = t.leg == 2 ? TRACKING_RETURNED : TRACKING_DELIVERED;
	else if (t.exception != NULL && strcmp(t.exception, "lost") == 0)
		t.fate = TRACKING_LOST;
	return t;
}
