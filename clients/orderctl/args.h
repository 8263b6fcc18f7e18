/*
 * The command line.  A command is a row of a table: its words, its usage line (usage.h), what it
 * does.  An option stands before or behind the words, "--" ends options, and what no command
 * takes is refused: a slip that is overlooked could place another order than was meant.
 *
 * Whatever is wrong with a command line ends the program with EXIT_USAGE, before anybody is asked.
 */
#ifndef ORDERCTL_ARGS_H
#define ORDERCTL_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "orderd/client.h"
#include "usage.h"

enum { OPTIONS_MAX = 64, ID_ROOM = 37 };

/* What the command line said: `--name value` pairs and the words left over. */
struct args {
	const char *names[OPTIONS_MAX], *values[OPTIONS_MAX];
	int n_options;
	char *words[OPTIONS_MAX]; /* argv's own, so a command may cut them up */
	int n_words;
	const struct command *command;
	struct usage usage; /* the command's */
	int form;           /* of the usage's forms, the one that was meant */
	bool json;
	int deadline_ms;
	const char *server, *server_from;   /* where it is, and who said so */
	struct orderd_client_options reach; /* it, and how to be known there */
	bool outcome; /* something comes of this call: a change, or a watch to its end */
	const char *request_option, *request_id; /* how it is repeated: --request-id ID; NULL: as
						    it was */
	struct orderd_client *client;            /* NULL for an offline command */
};

/* A word and what it means; a list ends with name == NULL. */
struct meaning {
	const char *name, *help;
};

struct command {
	const char *noun, *verb;    /* "stock", "receive"; noun NULL for `orderctl get` */
	const char *usage;          /* options and words: usage.h */
	int words_max;              /* as many words it takes */
	const char *help;           /* one line */
	int (*run)(struct args *a); /* exit code */

	/* What follows may be left out. */
	const struct meaning *options; /* what means something of its own here: vocabulary.h */
	const char *about;             /* sentences for `orderctl help COMMAND` */
	const char *examples;          /* command lines, each ending with a newline */
	bool offline;                  /* asks no server */
};

/* All there are: lists that end with verb == NULL, in a list that ends with NULL. */
typedef const struct command *const *command_tables;

/* The command behind `c`, NULL behind the last one: begin with c == NULL, and a copy of `tables`.
 */
const struct command *each_command(command_tables *tables, const struct command *c);

/* Options that every command takes. */
const struct usage *global_usage(void);

/* Read argv, find the command and check all of it; a.command is NULL when only --help or --version,
 * or nothing at all, was said. */
void args_read(struct args *a, command_tables tables, int argc, char **argv);

/* The row whose words stand first; `n_words` may be more.  NULL: there is none. */
const struct command *find_command(command_tables tables, char *const *words, int n_words);

/* Exits 2, with the nearest that there is. */
_Noreturn void no_command(command_tables tables, char *const *words, int n_words);

/* "stock receive" */
void command_name(const struct command *c, char *to, size_t room);

/* ---- what a command asks of it ---- */

const char *option(const struct args *a, const char *name); /* the last one given, NULL if none */
const char *option_or(const struct args *a, const char *name, const char *otherwise);
const char *need(const struct args *a, const char *name);        /* exits 2 when missing */
const char *word(const struct args *a, int i, const char *what); /* exits 2 when missing */
/* All that were given, in order; `values` has room for OPTIONS_MAX. */
size_t options(const struct args *a, const char *name, ProtobufCBinaryData *values);
bool flag(const struct args *a, const char *name);
int64_t number(const char *z, const char *what);       /* exits 2 when it is none */
int32_t small_number(const char *z, const char *what); /* exits 2 when it does not fit */
/* --name as a value of an enum, 0 when it was not given; exits 2 when there is no such value. */
int enum_option(const struct args *a, const char *name, const ProtobufCEnumDescriptor *d);
/* --name as a time in *at; NULL when it was not given, exits 2 when it is none. */
Google__Protobuf__Timestamp *time_option(const struct args *a, const char *name,
					 Google__Protobuf__Timestamp *at);
/* "orderctl: ...", and where to read more about the command it is about. */
void usage_error_is_about(const struct command *c);
_Noreturn void usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

ProtobufCBinaryData text(const char *z); /* NULL: empty */
void fresh_id(char to[ID_ROOM]);         /* a version 4 UUID */
/* --request-id, or a fresh one; --report, which is needed.  Remembered for print_error(). */
const char *request_id(struct args *a);
const char *report_id(struct args *a);

#endif
