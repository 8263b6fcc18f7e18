#include "server/auth/deny.h"

#include <stdlib.h>

#include "core/base/mem.h"

struct deny {
	char *text;
	struct str *names; /* sorted */
	size_t n;
};

static int by_bytes(const void *a, const void *b)
{
	const struct str *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = n > 0 ? memcmp(x->p, y->p, n) : 0;

	return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

static struct str trimmed(struct str s)
{
	while (s.n > 0 && strchr(" \t\r", s.p[s.n - 1]) != NULL)
		s.n--;
	while (s.n > 0 && strchr(" \t", s.p[0]) != NULL) {
		s.p++;
		s.n--;
	}
	return s;
}

struct deny *deny_read(char *text, size_t n)
{
	struct deny *d = mem_alloc(sizeof(*d));
	struct str rest = {text, n}, line;
	size_t room = 16;

	d->text = text;
	d->names = mem_array(room, sizeof(*d->names));
	while (str_next(&rest, '\n', &line)) {
		line = trimmed(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (d->n == room) {
			room *= 2;
			d->names = mem_grow(d->names, room, sizeof(*d->names));
		}
		d->names[d->n++] = line;
	}
	qsort(d->names, d->n, sizeof(*d->names), by_bytes);
	return d;
}

void deny_free(struct deny *d)
{
	if (d == NULL)
		return;
	free(d->text);
	free(d->names);
	free(d);
}

bool deny_has(const struct deny *d, struct str name)
{
	return d != NULL && name.p != NULL &&
	       bsearch(&name, d->names, d->n, sizeof(*d->names), by_bytes) != NULL;
}
