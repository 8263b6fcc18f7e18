/*
 * What `orderctl help` and the manual page say beside the commands themselves.
 */
#ifndef ORDERCTL_HELP_H
#define ORDERCTL_HELP_H

#include "args.h"

enum { USAGE_TOKEN_MAX = 3 * (USAGE_NAME_MAX + USAGE_VALUE_MAX) };

/* The tokens of one form of a usage line, those between which it may be broken. */
void each_usage_token(const struct usage *u, int form, void (*tell)(const char *token));

extern const struct meaning environment_variables[]; /* ends with name == NULL */
extern const char *const synopsis, *const description;

void print_help(command_tables tables);
void print_command_help(const struct command *c);
void print_manual(command_tables tables);
void print_bash_completion(command_tables tables);

#endif
