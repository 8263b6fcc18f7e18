/*
 * Where a Redis is; see redis_address.h.
 */
#include "core/queue/redis_address.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

static bool is_port(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && n < sizeof(((struct redis_address *)0)->port) &&
	       strspn(text, "0123456789") == n &&
	       atoi(text) <= UINT16_MAX; /* banned-ok: a few digits */
}

bool redis_address_parse(struct redis_address *a, const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t n;

	*a = (struct redis_address){.is_unix = strncmp(text, "unix:", 5) == 0};
	if (a->is_unix) {
		a->host = mem_text(text + 5);
		return a->host[0] != '\0';
	}
	if (colon == NULL || colon == text || !is_port(colon + 1))
		return false;
	memcpy(a->port, colon + 1, strlen(colon + 1) + 1);
	n = (size_t)(colon - text);
	if (text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	a->host = mem_printf("%.*s", (int)n, text);
	return n > 0;
}

void redis_address_done(struct redis_address *a)
{
	free(a->host);
	*a = (struct redis_address){0};
}

bool redis_address_choose(const struct addrinfo *found, uint32_t attempt, char ip[REDIS_IP_SIZE])
{
	const struct addrinfo *a;
	uint32_t n = 0;

	for (a = found; a != NULL; a = a->ai_next)
		n++;
	if (n == 0)
		return false;
	for (a = found, attempt %= n; attempt > 0; attempt--)
		a = a->ai_next;
	return getnameinfo(a->ai_addr, a->ai_addrlen, ip, REDIS_IP_SIZE, NULL, 0, NI_NUMERICHOST) ==
	       0;
}
