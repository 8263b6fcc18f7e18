/*
 * The webhooks of one vendor: its events, sent to one URL by a thread of their own until the
 * receiver acknowledges them with a 2xx.  Nobody's answer waits for that.
 *
 * An event is part of the journal line of the call it tells about, and is sent from there once
 * that line is on disk.  What became of it is a line in NAME-webhooks.jsonl; an event without
 * one is sent again after a restart.  So a receiver may see an event twice, as at the vendors,
 * but never one of something that did not happen.
 */
#ifndef ORDERD_SIMS_HOOK_H
#define ORDERD_SIMS_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

enum { HOOK_HEADER_SIZE = 256 };

struct hook;
struct journal;

/* The vendor's header for a body, as a whole "Name: value"; `badly`: of another secret. */
typedef void hook_sign(const char *secret, const char *body, bool badly,
		       char ret[HOOK_HEADER_SIZE]);

void sign_gateway(const char *secret, const char *body, bool badly, char ret[HOOK_HEADER_SIZE]);
void sign_carrier(const char *secret, const char *body, bool badly, char ret[HOOK_HEADER_SIZE]);

/* With the settings and outcomes that stand in `dir`. */
struct hook *hook_open(const char *dir, const char *name, hook_sign *sign);
void hook_start(struct hook *h, struct journal *j); /* the events' lines are in j */
void hook_stop(struct hook *h);                     /* an attempt at work is broken off */
void hook_close(struct hook *h);

const char *hook_name(const struct hook *h);

/* {"url", "secret", "attempts"?, "first_ms"?, "timeout_ms"?, "waiting"?}, or null: nobody listens.
 * Kept in `dir` unless it came from the command line.  NULL, or what is wrong. */
const char *hook_set(struct hook *h, const json_t *settings, bool keep);
bool hook_listens(struct hook *h);
json_t *hook_url(struct hook *h); /* new reference */

/* The events of the journal line at a place; `end` is where it ends. */
void hook_take(struct hook *h, const json_t *events, int64_t at, int64_t end);

/* The same while the journal is read at start: but for those that have an outcome. */
void hook_recall(struct hook *h, const json_t *events, int64_t at);

/* {"url", "waiting", "events": the newest}; new reference. */
json_t *hook_show(struct hook *h);

#endif
