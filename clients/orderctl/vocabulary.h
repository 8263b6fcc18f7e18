/*
 * What options and the capital words of usage lines mean: said once, for help, the manual page,
 * completion, and the advice in errors.
 */
#ifndef ORDERCTL_VOCABULARY_H
#define ORDERCTL_VOCABULARY_H

#include "args.h"

enum { CHOICE_MAX = 48 };

/* "ORDER": "an order's id; `orderctl list` finds them"; NULL when it is not known. */
const char *meaning_of_word(const char *name);

/* What --name means for this command; NULL when it is not known. */
const char *meaning_of_option(const struct command *c, const char *name);

/* Whether a value of this kind is a file's name. */
bool is_file(const char *value);

/* The i-th word that a value "pdf|png|NAME" may be; false: there are no more. */
bool choice_at(const char *value, unsigned i, char to[CHOICE_MAX]);

/* Whether it may also be something else. */
bool is_open(const char *value);

/* "a, b or c" */
void list_choices(const char *value, char *to, size_t room);

#endif
