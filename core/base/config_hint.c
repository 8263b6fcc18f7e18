/*
 * "Did you mean ...?": the setting whose name is nearest to what somebody typed.
 */
#include <assert.h>
#include <string.h>

#include "core/base/config_rows.h"

enum { HINT_DISTANCE = 3 }; /* more typing mistakes than this are another word */

/* Levenshtein's distance: letters to add, drop or change. */
static int distance(const char *a, const char *b)
{
	int row[CONFIG_NAME_MAX + 1];
	int n = (int)strlen(b);

	assert(n <= CONFIG_NAME_MAX);
	for (int j = 0; j <= n; j++)
		row[j] = j;
	for (int i = 1; a[i - 1] != '\0'; i++) {
		int diagonal = row[0];

		row[0] = i;
		for (int j = 1; j <= n; j++) {
			int best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[n];
}

/* The setting somebody may have meant; NULL if nothing is near. */
const char *config_nearest_name(const char *name)
{
	const char *best = NULL;
	int least = HINT_DISTANCE + 1;

	if (strlen(name) > CONFIG_NAME_MAX)
		return NULL;
	for (size_t i = 0; i < SETTINGS; i++) {
		int d = distance(name, settings[i].name);

		if (d < least) {
			least = d;
			best = settings[i].name;
		}
	}
	return best;
}
