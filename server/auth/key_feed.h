/*
 * API keys in memory: every KEY_FEED_EVERY_MS PostgreSQL is asked whether they have changed, and
 * if so for all that are live.  So a call costs no question, a stranger's guesses reach no
 * database, and a revoked key is refused within KEY_FEED_EVERY_MS and the time of one answer:
 * 5 seconds at the most while PostgreSQL answers.  While it does not, keys are believed for
 * api_key_stale_s.  Which of them were used is written back, an hour's precision.
 */
#ifndef ORDERD_SERVER_KEY_FEED_H
#define ORDERD_SERVER_KEY_FEED_H

enum {
	KEY_FEED_EVERY_MS = 2000,
	KEY_FEED_ANSWER_MS = 3000,
};

struct app;
struct key_feed;

/* NULL when API keys are not taken. */
struct key_feed *key_feed_new(struct app *app);

/* Before the store.  on_closed(arg) perhaps before this returns; `f` may be NULL. */
void key_feed_close(struct key_feed *f, void (*on_closed)(void *arg), void *arg);

/* Something was changed: look now.  `f` may be NULL. */
void key_feed_look(struct key_feed *f);

#endif
