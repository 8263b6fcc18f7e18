#include "text.h"

#include <stdbool.h>
#include <string.h>
#include <wchar.h>

/* Turns the direction of the text behind it: what is read is not what is there. */
static bool turns_text(wchar_t c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

int text_clean(char *z)
{
	char *end = z + strlen(z);
	int columns = 0;

	while (z < end) {
		mbstate_t state = {0};
		wchar_t c;
		size_t n = mbrtowc(&c, z, (size_t)(end - z), &state);
		bool whole = n <= (size_t)(end - z); /* else n is (size_t)-1 or -2 */
		int width = whole && !turns_text(c) ? wcwidth(c) : -1;

		if (width < 0) {
			n = whole ? n : 1;
			memset(z, *z == '\t' || *z == '\n' || *z == '\r' ? ' ' : '?', n);
			width = (int)n;
		}
		columns += width;
		z += n;
	}
	return columns;
}
