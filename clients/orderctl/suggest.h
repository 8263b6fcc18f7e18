/*
 * What somebody may have meant who typed a word that does not exist.
 */
#ifndef ORDERCTL_SUGGEST_H
#define ORDERCTL_SUGGEST_H

enum { SUGGEST_WORD_MAX = 64 }; /* a longer word is nobody's slip */

/* The candidates are offered one by one; the nearest is kept. */
struct suggestion {
	const char *typed;
	char best[SUGGEST_WORD_MAX]; /* "": nothing is near */
	int distance;
};

struct suggestion suggest(const char *typed);
void suggest_offer(struct suggestion *s, const char *candidate);

#endif
