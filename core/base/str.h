/*
 * Text with its length.  Text from outside may hold any byte; str_is_text() says
 * whether it may go on.  A NULL `p` means "absent", which is not the same as empty.
 */
#ifndef ORDERD_BASE_STR_H
#define ORDERD_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
	const char *p; /* not NUL-terminated unless its maker says so */
	size_t n;      /* bytes */
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_FMT      "%.*s" /* printf("x=" STR_FMT, STR_ARG(s)) */
#define STR_ARG(s)   (int)(s).n, ((s).p != NULL ? (s).p : "")

static inline struct str str_of(const char *z)
{
	return (struct str){z, z != NULL ? strlen(z) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Valid UTF-8 (RFC 3629: no overlong forms, no surrogates) without NUL or other C0/C1
 * controls except TAB, LF and CR.  What passes can be stored and logged. */
bool str_is_text(struct str s);

/* Bytes of the first character of `s` when it may stand in text; 0 at the end or when it may not.
 */
size_t str_char_length(struct str s);

/* The next of a list with `separator` between two, taken off it; false: there are no more. */
bool str_next(struct str *list, char separator, struct str *ret);

/* Whole-string decimal integer within [min, max]; false leaves *ret alone. */
bool str_to_i64(struct str s, long long min, long long max, long long *ret);

#endif
