/*
 * What the store shows of itself: its connections, and the last batches of each lane.
 *
 * A batch that has landed is noted in a ring of its lane: numbers and names that live for
 * ever, so nothing is allocated and nothing of what was asked is kept.
 */
#include "core/base/show.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/store/internal.h"

/* ---- noting ---- */

void batch_note(struct conn *c, const char *outcome, const char *sqlstate)
{
	struct batch *b = &c->batch;
	struct lane *l = c->lane;
	struct batch_note *note = &l->notes[l->n_notes++ % LANE_NOTES];

	*note = (struct batch_note){.at_us = clock_mono_us(),
				    .sent_us = b->sent_us,
				    .conn = (uint16_t)(c - l->conns),
				    .units = (uint16_t)(b->now.to - b->now.from),
				    .statements = (uint16_t)b->n_steps,
				    .outcome = outcome};
	(void)snprintf(note->sqlstate, sizeof(note->sqlstate), "%s",
		       sqlstate != NULL ? sqlstate : "");
	c->batches++;
}

/* The first line of what libpq says: the others are hints on other addresses it tried. */
void conn_note_loss(struct conn *c, const char *why)
{
	c->losses++;
	(void)snprintf(c->last_error, sizeof(c->last_error), "%.*s", (int)strcspn(why, "\n"), why);
}

/* ---- pools ---- */

static const char *state_of(const struct conn *c)
{
	static const char *const states[] = {[CONN_OFF] = "lost",
					     [CONN_CONNECTING] = "connecting",
					     [CONN_FLYING] = "busy",
					     [CONN_PAUSING] = "pausing",
					     [CONN_IDLE] = "idle"};

	if (c->state == CONN_FLYING && c->flight == FLIGHT_PREPARE)
		return "preparing";
	return states[c->state];
}

/* "host:port", or the directory of a socket. */
static void show_peer(struct show *s, const PGconn *pg)
{
	const char *host = pg != NULL ? PQhost(pg) : NULL;

	if (host == NULL || *host == '\0')
		show_nothing(s);
	else
		show_printf(s, "%s:%s", host, PQport(pg));
}

static void show_server_version(struct show *s, const PGconn *pg)
{
	const char *version = pg != NULL ? PQparameterStatus(pg, "server_version") : NULL;

	show_text(s, version);
}

static void show_conn(struct show *s, const struct conn *c)
{
	const struct lane *l = c->lane;

	show_text(s, "postgres");
	show_text(s, l->law->name);
	show_int(s, c - l->conns);
	show_text(s, state_of(c));
	show_int(s, c->flight == FLIGHT_RANGE ? c->batch.now.to - c->batch.now.from : 0);
	show_int(s, (int64_t)l->ready.n + l->blocked.n);
	show_int(s, (int64_t)c->batches);
	show_int(s, (int64_t)c->losses);
	show_peer(s, c->pg);
	show_server_version(s, c->pg);
	show_text(s, c->last_error[0] != '\0' ? c->last_error : NULL);
}

static void show_pools(struct show *s, const void *arg)
{
	const struct store *st = arg;

	for (int i = 0; i < STORE_LANES; i++)
		for (int k = 0; k < st->lanes[i].n_conns && show_row(s); k++)
			show_conn(s, &st->lanes[i].conns[k]);
}

/* ---- batches ---- */

static void show_note(struct show *s, const struct lane *l, const struct batch_note *note)
{
	show_text(s, l->law->name);
	show_int(s, note->conn);
	show_int(s, (clock_mono_us() - note->at_us) / 1000);
	show_int(s, note->units);
	show_int(s, note->statements);
	show_int(s, note->at_us - note->sent_us);
	show_text(s, note->outcome);
	show_text(s, note->sqlstate[0] != '\0' ? note->sqlstate : NULL);
}

static void show_batches(struct show *s, const void *arg)
{
	const struct store *st = arg;

	for (int i = 0; i < STORE_LANES; i++) {
		const struct lane *l = &st->lanes[i];
		uint64_t oldest = l->n_notes > LANE_NOTES ? l->n_notes - LANE_NOTES : 0;

		for (uint64_t n = l->n_notes; n > oldest && show_row(s); n--)
			show_note(s, l, &l->notes[(n - 1) % LANE_NOTES]);
	}
}

static void show_libpq(struct show *s, const void *arg)
{
	int v = PQlibVersion();

	(void)arg;
	if (!show_row(s))
		return;
	show_text(s, "libpq");
	show_printf(s, "%d.%d", v / 10000, v % 10000);
}

void store_offer(const struct store *st, struct show_board *b)
{
	show_offer(b, SHOW_pools, show_pools, st);
	show_offer(b, SHOW_batches, show_batches, st);
	show_offer(b, SHOW_version, show_libpq, st);
}
