#include "suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static int least(int a, int b, int c)
{
	int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * How many slips lie between two words: a letter left out, added or changed, or two neighbours
 * that changed places (optimal string alignment).
 */
static int distance(const char *a, size_t n, const char *b, size_t m)
{
	int rows[3][SUGGEST_WORD_MAX + 1], *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t k = 0; k <= m; k++)
		above[k] = (int)k;
	for (size_t i = 1; i <= n; i++) {
		int *spare = before;

		row[0] = (int)i;
		for (size_t k = 1; k <= m; k++) {
			row[k] = least(above[k] + 1, row[k - 1] + 1,
				       above[k - 1] + !same(a[i - 1], b[k - 1]));
			if (i > 1 && k > 1 && same(a[i - 1], b[k - 2]) && same(a[i - 2], b[k - 1]))
				row[k] = least(row[k], before[k - 2] + 1, row[k]);
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[m];
}

struct suggestion suggest(const char *typed)
{
	return (struct suggestion){.typed = typed, .distance = SUGGEST_WORD_MAX};
}

/* One slip in a short word, one in three letters in a long one; or a word that was cut short. */
void suggest_offer(struct suggestion *s, const char *candidate)
{
	size_t n = strlen(s->typed), m = strlen(candidate);
	int far = n < 6 ? 1 : (int)(n / 3), d;

	if (n == 0 || n >= SUGGEST_WORD_MAX || m >= SUGGEST_WORD_MAX)
		return;
	d = distance(s->typed, n, candidate, m);
	if (n < 3 && d >= (int)n)
		return;
	if (d > far && !(n >= 3 && strncmp(s->typed, candidate, n) == 0))
		return;
	if (d >= s->distance)
		return;
	s->distance = d;
	memcpy(s->best, candidate, m + 1);
}
