#include "text.h"

#include <string.h>
#include <wchar.h>

int text_clean(char *z)
{
	char *end = z + strlen(z);
	int columns = 0;

	while (z < end) {
		mbstate_t state = {0};
		wchar_t c;
		size_t n = mbrtowc(&c, z, (size_t)(end - z), &state);
		int width = n <= (size_t)(end - z) ? wcwidth(c) : -1;

		if (width < 0) {
			n = n > (size_t)(end - z) ? 1 : n;
			memset(z, *z == '\t' || *z == '\n' || *z == '\r' ? ' ' : '?', n);
			width = (int)n;
		}
		columns += width;
		z += n;
	}
	return columns;
}
