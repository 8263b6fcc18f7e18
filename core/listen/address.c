#include "core/listen/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>

static bool parse_v6(const char *host, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)ret;

	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1;
}

static bool parse_v4(const char *host, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)ret;

	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1;
}

bool address_parse(struct str text, struct sockaddr_storage *ret)
{
	const char *colon = text.n > 0 ? memrchr(text.p, ':', text.n) : NULL;
	char host[INET6_ADDRSTRLEN + 2] = "";
	size_t n = colon != NULL ? (size_t)(colon - text.p) : 0;
	long long port;

	memset(ret, 0, sizeof(*ret));
	if (colon == NULL || n == 0 || n >= sizeof(host))
		return false;
	if (!str_to_i64((struct str){colon + 1, text.n - n - 1}, 0, UINT16_MAX, &port))
		return false;
	memcpy(host, text.p, n);
	if (host[0] != '[')
		return parse_v4(host, (uint16_t)port, ret);
	if (host[n - 1] != ']')
		return false;
	host[n - 1] = '\0';
	return parse_v6(host + 1, (uint16_t)port, ret);
}

bool address_is_loopback(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr) >>
			       24 ==
		       127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}
