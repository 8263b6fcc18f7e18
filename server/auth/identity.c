#include "server/auth/identity.h"

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

bool identity_copy(const struct identity *from, struct arena *arena, struct identity *ret)
{
	*ret = (struct identity){.tenant = from->tenant,
				 .role = from->role,
				 .subject = arena_str(arena, from->subject),
				 .scopes = arena_str(arena, from->scopes),
				 .customer = arena_str(arena, from->customer)};
	return ret->subject.p != NULL && (ret->scopes.p != NULL || from->scopes.p == NULL) &&
	       (ret->customer.p != NULL || from->customer.p == NULL);
}
