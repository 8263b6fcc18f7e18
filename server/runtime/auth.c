#include "server/runtime/auth.h"

#include <string.h>

#include "core/base/config.h"
#include "core/listen/address.h"

bool auth_is_local(struct str address)
{
	struct sockaddr_storage at;

	if (address.n > 5 && memcmp(address.p, "unix:", 5) == 0)
		return true;
	return address_parse(address, &at) && address_is_loopback(&at);
}

static void check_listeners(const char *field, const char *list)
{
	for (const char *p = list; *p != '\0';) {
		size_t n = strcspn(p, ",");

		if (!auth_is_local((struct str){p, n}))
			config_refuse(field,
				      "with auth=none only loopback addresses and unix sockets may "
				      "be listened on, not %.*s",
				      (int)n, p);
		p += n + (p[n] == ',');
	}
}

void auth_check(const char *auth, const char *listen, const char *http_listen)
{
	if (strcmp(auth, "none") != 0)
		config_refuse("auth",
			      "it must be \"none\": every caller is tenant 1's administrator");
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
