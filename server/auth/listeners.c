#include "server/auth/listeners.h"

#include <string.h>

#include "core/listen/address.h"

static bool take_prefix(struct str *s, struct str prefix)
{
	if (s->n < prefix.n || memcmp(s->p, prefix.p, prefix.n) != 0)
		return false;
	s->p += prefix.n;
	s->n -= prefix.n;
	return true;
}

bool listener_is_tls(struct str *address)
{
	return take_prefix(address, STR("tls:"));
}

bool listener_is_local(struct str address)
{
	struct sockaddr_storage at;
	struct str rest = address;

	if (take_prefix(&rest, STR("unix:")))
		return rest.n > 0;
	return address_parse(address, &at) && address_is_loopback(&at);
}

bool listeners_want_tls(const struct config *cfg)
{
	struct str rest = str_of(cfg->listen), one;

	while (str_next(&rest, ',', &one))
		if (listener_is_tls(&one))
			return true;
	return false;
}

static void check_grpc(const struct config *cfg, bool callers_are_known)
{
	struct str rest = str_of(cfg->listen), one;

	while (str_next(&rest, ',', &one)) {
		struct str address = one;
		bool tls = listener_is_tls(&address);
		struct sockaddr_storage at;

		if (tls && !address_parse(address, &at))
			config_refuse("listen", "tls: goes before host:port, not " STR_FMT,
				      STR_ARG(one));
		if (listener_is_local(address))
			continue;
		if (!callers_are_known)
			config_refuse("listen",
				      "with auth=none only loopback addresses and unix sockets may "
				      "be listened on, not " STR_FMT,
				      STR_ARG(one));
		if (!tls)
			config_refuse(
				"listen",
				"without tls: only loopback addresses and unix sockets may be "
				"listened on, not " STR_FMT,
				STR_ARG(one));
	}
}

void listeners_check(const struct config *cfg, bool callers_are_known)
{
	struct str rest = str_of(cfg->http_listen), one;

	check_grpc(cfg, callers_are_known);
	while (str_next(&rest, ',', &one))
		if (!listener_is_local(one))
			config_refuse(
				"http_listen",
				"it asks nobody who they are: only loopback addresses and unix "
				"sockets may be listened on, not " STR_FMT,
				STR_ARG(one));
}
