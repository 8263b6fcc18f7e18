/*
 * Where to listen and where Redis is, as somebody may write it: refused, or an address
 * that the system understands.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "core/listen/address.h"
#include "core/queue/redis_address.h"
#include "tests/fuzz/fuzz.h"

static void listener(struct str text)
{
	struct sockaddr_storage a;
	char ip[INET6_ADDRSTRLEN];

	if (!address_parse(text, &a))
		return;
	MUST(a.ss_family == AF_INET || a.ss_family == AF_INET6);
	if (a.ss_family == AF_INET)
		MUST(inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)&a)->sin_addr, ip,
			       sizeof(ip)) != NULL);
	if (text.n >= 4 && memcmp(text.p, "127.", 4) == 0)
		MUST(address_is_loopback(&a));
}

static void redis(const char *text)
{
	struct redis_address a;

	if (redis_address_parse(&a, text)) {
		MUST(a.host != NULL && a.host[0] != '\0');
		MUST(a.is_unix || (a.port[0] >= '0' && a.port[0] <= '9'));
	}
	redis_address_done(&a); /* also of one that was refused */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	listener((struct str){text, size});
	redis(text);
	free(text);
	return 0;
}
