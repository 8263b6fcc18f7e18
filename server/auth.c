#include "server/auth.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "core/base/config.h"

/* "127.0.0.1:7070" -> "127.0.0.1", "[::1]:7070" -> "::1" */
static bool host_of(struct str address, char *host, size_t size)
{
	const char *colon = memrchr(address.p, ':', address.n);
	struct str h = {address.p, colon != NULL ? (size_t)(colon - address.p) : address.n};

	if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = (struct str){h.p + 1, h.n - 2};
	if (h.n == 0 || h.n >= size)
		return false;
	memcpy(host, h.p, h.n);
	host[h.n] = '\0';
	return true;
}

bool auth_is_local(struct str address)
{
	char host[64];
	struct in_addr v4;
	struct in6_addr v6;

	if (address.n > 5 && memcmp(address.p, "unix:", 5) == 0)
		return true;
	if (address.n == 0 || !host_of(address, host, sizeof(host)))
		return false;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return strcmp(host, "localhost") == 0; /* RFC 6761: never another machine */
}

static void check_listeners(const char *field, const char *list)
{
	for (const char *p = list; *p != '\0';) {
		size_t n = strcspn(p, ",");

		if (!auth_is_local((struct str){p, n}))
			config_refuse(field,
				      "with auth=none only loopback addresses and unix sockets may be listened on, not %.*s",
				      (int)n, p);
		p += n + (p[n] == ',');
	}
}

void auth_check(const char *auth, const char *listen, const char *http_listen)
{
	if (strcmp(auth, "none") != 0)
		config_refuse("auth", "it must be \"none\": every caller is tenant 1's administrator");
	check_listeners("listen", listen);
	check_listeners("http_listen", http_listen);
}

enum errc identify(grpc_call *call, const grpc_metadata_array *md, struct identity *ret)
{
	(void)call;
	(void)md;
	*ret = (struct identity){.tenant = 1, .role = ROLE_OPS_ADMIN, .subject = STR("local")};
	return ERR_OK;
}
