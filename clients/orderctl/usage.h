/*
 * The usage line of a command, read.  It is the one place that says which options and words a
 * command takes: checks, help, the manual page and completion all come from it.
 *
 *	"--site SITE [--format pdf|png|zpl] [--dry-run] [--fallback TOKEN]... ORDER [LINE=QTY...]"
 *
 * In brackets: may be left out.  "...": may be given more than once.  An option without a value is
 * a flag.  Small letters in a value are words as they are; capitals stand for something
 * (vocabulary.h).  In a bracket " | " parts options of which one may be given: "[--limit N |
 *--all]". Anywhere else it parts two forms of the command, which are not mixed.
 */
#ifndef ORDERCTL_USAGE_H
#define ORDERCTL_USAGE_H

#include <stdbool.h>
#include <stddef.h>

enum { USAGE_OPTIONS_MAX = 40, USAGE_WORDS_MAX = 8, USAGE_NAME_MAX = 32, USAGE_VALUE_MAX = 64 };

struct usage_option {
	char name[USAGE_NAME_MAX];   /* without its dashes */
	char value[USAGE_VALUE_MAX]; /* "" for a flag */
	bool repeats;
	int one_of;             /* those of one bracket "[--a | --b]" have one number; 0: alone */
	unsigned forms, needed; /* a bit per form: that has it, that must have it */
};

struct usage_word {
	char name[USAGE_VALUE_MAX];
	bool needed, repeats;
	int form;
};

struct usage {
	struct usage_option options[USAGE_OPTIONS_MAX];
	struct usage_word words[USAGE_WORDS_MAX];
	int n_options, n_words, n_forms, n_brackets;
};

/* The text is ours, so whatever is wrong with it is asserted. */
void usage_read(struct usage *u, const char *text);

/* NULL: there is no such option. */
const struct usage_option *usage_option(const struct usage *u, const char *name);

/* As a usage line shows them: "[--site SITE]", "[--limit N | --all]", "ORDER...".  Of one bracket
 * all are shown with the first, and nothing ("") with the others. */
void usage_show_option(const struct usage *u, int i, int form, char *to, size_t room);
void usage_show_word(const struct usage_word *w, char *to, size_t room);

#endif
