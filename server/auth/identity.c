#include "server/auth/identity.h"

#include <string.h>

static const char *const role_names[ROLES] = {
#define X(name, text) text,
	ROLE_TABLE(X)
#undef X
};

struct str role_name(enum role role)
{
	return str_of(role_names[role]);
}

bool role_parse(struct str text, enum role *ret)
{
	for (int i = 0; i < ROLES; i++) {
		if (str_eq(text, str_of(role_names[i]))) {
			*ret = (enum role)i;
			return true;
		}
	}
	return false;
}

bool identity_name_ok(struct str name)
{
	if (name.n == 0 || name.n > IDENTITY_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return false;
	return true;
}

bool identity_scopes_ok(struct str scopes)
{
	char last = ' ';

	if (scopes.n > IDENTITY_SCOPES_MAX)
		return false;
	for (size_t i = 0; i < scopes.n; i++) {
		char c = scopes.p[i];

		if (c < ' ' || c > '~' || c == '"' || c == '\\' || (c == ' ' && last == ' '))
			return false;
		last = c;
	}
	return scopes.n == 0 || last != ' ';
}

bool identity_has_scope(struct str scopes, struct str word)
{
	struct str one;

	while (str_next(&scopes, ' ', &one))
		if (str_eq(one, word))
			return true;
	return false;
}

bool identity_add_location(char to[IDENTITY_LOCATIONS_MAX], size_t *n, struct str code)
{
	size_t between = *n > 0 ? 1 : 0;

	if (code.n == 0 || code.n > IDENTITY_LOCATION_MAX ||
	    code.n + between > IDENTITY_LOCATIONS_MAX - *n)
		return false;
	for (size_t i = 0; i < code.n; i++)
		if ((unsigned char)code.p[i] < ' ' || code.p[i] == 127)
			return false;
	if (between > 0)
		to[(*n)++] = '\n';
	memcpy(to + *n, code.p, code.n);
	*n += code.n;
	return true;
}

bool identity_locations_ok(struct str locations)
{
	char text[IDENTITY_LOCATIONS_MAX];
	size_t n = 0;
	struct str one;

	while (str_next(&locations, '\n', &one))
		if (!identity_add_location(text, &n, one))
			return false;
	return n > 0;
}

bool identity_copy(const struct identity *from, struct arena *arena, struct identity *ret)
{
	*ret = (struct identity){.tenant = from->tenant,
				 .role = from->role,
				 .subject = arena_str(arena, from->subject),
				 .scopes = arena_str(arena, from->scopes),
				 .customer = arena_str(arena, from->customer),
				 .locations = arena_str(arena, from->locations)};
	return ret->subject.p != NULL && (ret->scopes.p != NULL || from->scopes.p == NULL) &&
	       (ret->customer.p != NULL || from->customer.p == NULL) &&
	       (ret->locations.p != NULL || from->locations.p == NULL);
}
