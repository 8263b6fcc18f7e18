/*
 * Who calls: what a verified credential says.  No request message carries any of it.
 */
#ifndef ORDERD_SERVER_IDENTITY_H
#define ORDERD_SERVER_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/str.h"

/* Columns: name in C, name in certificates, keys, tokens and the database. */
#define ROLE_TABLE(X)             \
	X(CUSTOMER, "customer")   \
	X(SERVICE, "service")     \
	X(MES, "mes")             \
	X(OPS_READ, "ops_read")   \
	X(OPS_WRITE, "ops_write") \
	X(OPS_ADMIN, "ops_admin")

enum role {

#define X(name, text) ROLE_##name,
	ROLE_TABLE(X)
#undef X
		ROLES
};

enum {
	IDENTITY_NAME_MAX = 128, /* bytes of a caller's name, or a customer's */
	IDENTITY_SCOPES_MAX = 256,
	IDENTITY_LOCATION_MAX = 32,   /* bytes of a location's code, as in the contract */
	IDENTITY_LOCATIONS_MAX = 512, /* bytes of all a credential names, with their separators */
};

struct identity {
	int32_t tenant;
	enum role role;
	struct str subject;   /* "key:shop", "cert:packer-3", "jwt:8f2a": for audit and logs */
	struct str scopes;    /* what the credential narrows itself to, by blanks; empty: nothing */
	struct str customer;  /* the only customer it may act for; p == NULL: not bound to one */
	struct str locations; /* codes of those it reaches, one a line; p == NULL: all there are */
	const char *refused;  /* why nobody is known, for the record; NULL: somebody is */
};

struct str role_name(enum role role);
bool role_parse(struct str text, enum role *ret);

/* 1 to IDENTITY_NAME_MAX printable ASCII characters without blanks: they are logged and stored. */
bool identity_name_ok(struct str name);

/* Empty, or words of RFC 6749's scope-token, one blank between two. */
bool identity_scopes_ok(struct str scopes);

/* Is this word one of them? */
bool identity_has_scope(struct str scopes, struct str word);

/*
 * Adds a code to the `n` bytes in `to`: 1 to IDENTITY_LOCATION_MAX bytes, no control characters.
 * false: it is no code, or there is no room.
 */
bool identity_add_location(char to[IDENTITY_LOCATIONS_MAX], size_t *n, struct str code);

/* Of a text whose codes are one a line: not empty, and each could have been added. */
bool identity_locations_ok(struct str locations);

/* `from` with texts of its own, in `arena`; false when that is full. */
bool identity_copy(const struct identity *from, struct arena *arena, struct identity *ret);

#endif
