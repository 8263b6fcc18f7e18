/*
 * What settings are read from files: the configuration file, line by line, and secrets
 * that stand in files of their own.
 *
 *	field = value		# a comment
 *	field = "a value with \"quotes\" or a # in it"
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/config_rows.h"
#include "core/base/file.h"

enum {
	FILE_MAX = 64 * 1024, /* bytes of a configuration file */
	SECRET_MAX = 4096,
};

static const char *why_not(void)
{
	return strerror(errno); // NOLINT(concurrency-mt-unsafe): before any thread is started
}

static char *trim(char *p)
{
	size_t n;

	p += strspn(p, " \t\r");
	n = strlen(p);
	while (n > 0 && strchr(" \t\r", p[n - 1]) != NULL)
		p[--n] = '\0';
	return p;
}

/* "in quotes", where \" and \\ stand for themselves.  NULL when the quotes do not end. */
static char *unquote(char *p, char **ret_rest)
{
	char *to = p;
	char *from = p + 1;

	while (*from != '\0' && *from != '"') {
		if (from[0] == '\\' && (from[1] == '"' || from[1] == '\\'))
			from++;
		*to++ = *from++;
	}
	if (*from != '"')
		return NULL;
	*to = '\0';
	*ret_rest = from + 1;
	return p;
}

/* A # begins a comment after white space only: passwords and URLs may hold one. */
static void cut_comment(char *p)
{
	for (char *at = p; *at != '\0'; at++) {
		if (*at == '#' && (at == p || at[-1] == ' ' || at[-1] == '\t')) {
			*at = '\0';
			return;
		}
	}
}

static void read_line(struct reader *r, struct origin from, char *line)
{
	char *name = trim(line);
	char *value = strchr(name, '=');

	if (name[0] == '\0' || name[0] == '#')
		return;
	if (value == NULL) {
		cut_comment(name);
		config_mistake(r, from, trim(name), "needs a value: field = value");
		return;
	}
	*value++ = '\0';
	name = trim(name);
	value = trim(value);
	if (value[0] == '"') {
		char *rest;

		value = unquote(value, &rest);
		if (value == NULL) {
			config_mistake(r, from, name, "the quotes do not end");
			return;
		}
		rest = trim(rest);
		if (rest[0] != '\0' && rest[0] != '#') {
			config_mistake(r, from, name, "something follows the quotes");
			return;
		}
	} else {
		cut_comment(value);
		value = trim(value);
	}
	config_apply(r, name, from, value);
}

void config_read_file(struct reader *r, const char *path)
{
	struct origin from = {FROM_FILE, 0};
	size_t n = 0;
	char *text = file_read(path, FILE_MAX, &n);
	char *next = text;

	if (text == NULL) {
		config_mistake(r, (struct origin){FROM_COMMAND, 0}, "config", "%s: %s", path,
			       why_not());
		return;
	}
	if (strlen(text) != n) {
		config_mistake(r, (struct origin){FROM_COMMAND, 0}, "config", "%s: is no text",
			       path);
		next = NULL;
	}
	while (next != NULL) {
		char *line = strsep(&next, "\n");

		from.line++;
		read_line(r, from, line);
	}
	free(text);
}

char *config_secret(const char *field, const char *path)
{
	size_t n = 0;
	char *text = file_read(path, SECRET_MAX, &n);

	if (text == NULL)
		config_refuse(field, "%s: %s", path,
			      errno == EFBIG ? "larger than 4 KiB" : why_not());
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (n > 0 && text[n - 1] == '\r')
		n--;
	text[n] = '\0';
	if (n == 0 || strlen(text) != n) {
		free(text);
		text = NULL;
		config_refuse(field, "%s: %s", path, n == 0 ? "is empty" : "is no text");
	}
	return text;
}
