/*
 * The inside of `struct auth`, for auth.c (who calls) and auth_files.c (what is read from files).
 */
#ifndef ORDERD_SERVER_AUTH_INSIDE_H
#define ORDERD_SERVER_AUTH_INSIDE_H

#include "server/auth/api_key.h"
#include "server/auth/auth.h"
#include "server/auth/deny.h"
#include "server/auth/jwt.h"
#include "server/auth/jwt_cache.h"
#include "server/auth/rate_rules.h"
#include "server/auth/tls.h"

/* What files say, each checked as a whole. */
enum auth_source { SOURCE_TLS, SOURCE_JWKS, SOURCE_DENY, SOURCE_RATES, SOURCES };

struct auth_reading;

struct auth {
	struct loop *loop;
	const struct config *cfg;
	bool required;
	uint64_t fingerprint_seed;

	struct tls *tls;          /* NULL: no listener speaks it */
	int edge_from;            /* descriptors of edges' connections; INT_MAX: there are none */
	struct jwks *jwks;        /* NULL: tokens are not taken */
	struct deny *deny;        /* NULL: nobody is denied */
	struct rate_rules *rates; /* NULL: there are none */
	struct jwt_rules rules;
	struct jwt_cache *known_tokens;       /* that were checked */
	struct jwt_cache *known_certificates; /* that the edge told of; NULL: there is none */
	struct seal_key pepper;
	bool has_pepper;
	struct api_keys *keys;
	int64_t keys_as_of_ms;

	/* a log line a second for each cause */
	struct {
		int64_t quiet_until_ms;
		uint64_t quiet;
	} refused[AUTH_CAUSES];

	/* files */
	struct timer look;
	struct auth_reading *reading; /* NULL: none is under way */
	bool read_again;              /* somebody asked meanwhile */
	void (*on_reloaded)(void *arg);
	void *reloaded_arg;
	bool has[SOURCES];
	uint8_t taken[SOURCES][DIGEST_BYTES]; /* of the files in use */
	uint8_t bad[SOURCES][DIGEST_BYTES];   /* what was complained of last */
	void (*on_closed)(void *arg);
	void *closed_arg;
};

/* auth_files.c */
void auth_files_first(struct auth *a); /* exits 2 */
void auth_files_stop(struct auth *a);
bool auth_files_wait(const struct auth *a); /* a reading is under way */

/* auth.c */
void auth_finish_closing(struct auth *a); /* the last reading is over */

#endif
