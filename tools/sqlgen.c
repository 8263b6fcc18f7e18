/*
 * sqlgen --queries=DIR --audits=DIR --migrations=DIR --header=FILE --source=FILE [--print]
 *
 * Reads every unit kind, batch statement, audit and migration, and writes the C tables and
 * structs the store works from.  --print shows the expanded statements instead, ready
 * for PREPARE in psql.
 */
#include "sqlgen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void refuse(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void text_add(struct text *t, const char *s, size_t n)
{
	if (t->n + n + 1 > t->cap) {
		t->cap = (t->n + n + 1) * 2;
		t->p = realloc(t->p, t->cap);
		if (t->p == NULL)
			abort();
	}
	memcpy(t->p + t->n, s, n);
	t->n += n;
	t->p[t->n] = '\0';
}

void text_printf(struct text *t, const char *fmt, ...)
{
	char *line;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	text_add(t, line, (size_t)n);
	free(line);
}

char *copy_of(const char *s, size_t n)
{
	char *copy = strndup(s, n);

	if (copy == NULL)
		abort();
	return copy;
}

char *file_read(const char *path, size_t *ret_n)
{
	struct text t = {0};
	char chunk[65536];
	size_t n;
	FILE *f = fopen(path, "r");

	if (f == NULL)
		refuse(path, 0, "cannot be opened");
	text_add(&t, "", 0);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		text_add(&t, chunk, n);
	if (ferror(f))
		refuse(path, 0, "cannot be read");
	fclose(f);
	*ret_n = t.n;
	return t.p;
}

static void print_all(const struct sources *src)
{
	for (int i = 0; i < src->n_shared; i++)
		printf("-- shared %s\nPREPARE %s AS\n%s;\n\n", src->shared[i]->name,
		       src->shared[i]->name, src->shared[i]->sql);
	for (int i = 0; i < src->n_kinds; i++)
		printf("-- unit %s\nPREPARE %s AS\n%s;\n\n", src->kinds[i]->name,
		       src->kinds[i]->name, src->kinds[i]->sql);
}

static const char *option(const char *arg, const char *name)
{
	size_t n = strlen(name);

	return strncmp(arg, name, n) == 0 ? arg + n : NULL;
}

static _Noreturn void usage(void)
{
	fputs("usage: sqlgen --queries=DIR [--audits=DIR] [--migrations=DIR] (--header=FILE "
	      "--source=FILE | "
	      "--print)\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	static struct sources src;
	const char *queries = NULL, *audits = NULL, *migrations = NULL, *header = NULL,
		   *source = NULL, *v;
	bool print = false;

	for (int i = 1; i < argc; i++) {
		if ((v = option(argv[i], "--queries=")) != NULL)
			queries = v;
		else if ((v = option(argv[i], "--audits=")) != NULL)
			audits = v;
		else if ((v = option(argv[i], "--migrations=")) != NULL)
			migrations = v;
		else if ((v = option(argv[i], "--header=")) != NULL)
			header = v;
		else if ((v = option(argv[i], "--source=")) != NULL)
			source = v;
		else if (strcmp(argv[i], "--print") == 0)
			print = true;
		else
			usage();
	}
	if (queries == NULL || (!print && (header == NULL || source == NULL)))
		usage();
	load_queries(&src, queries);
	if (audits != NULL)
		load_audits(&src, audits);
	if (migrations != NULL)
		load_migrations(&src, migrations);
	if (print) {
		print_all(&src);
		return 0;
	}
	v = strrchr(header, '/');
	write_header(&src, header);
	write_source(&src, source, v != NULL ? v + 1 : header);
	return 0;
}
