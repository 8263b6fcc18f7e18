#include "server/auth/listeners.h"

#include <string.h>
#include <sys/stat.h>

#include "core/listen/address.h"

static bool take_prefix(struct str *s, struct str prefix)
{
	if (s->n < prefix.n || memcmp(s->p, prefix.p, prefix.n) != 0)
		return false;
	s->p += prefix.n;
	s->n -= prefix.n;
	return true;
}

static const struct {
	const char *prefix, *name;
} kinds[LISTENER_KINDS] = {
	[LISTENER_PLAIN] = {"", "grpc"},
	[LISTENER_TLS] = {"tls:", "grpcs"},
	[LISTENER_EDGE] = {"edge:", "edge"},
};

enum listener_kind listener_kind(struct str *address)
{
	for (enum listener_kind k = LISTENER_TLS; k < LISTENER_KINDS; k++)
		if (take_prefix(address, str_of(kinds[k].prefix)))
			return k;
	return LISTENER_PLAIN;
}

bool listener_is_held(struct str *address)
{
	return take_prefix(address, STR("fd:"));
}

const char *listener_name(enum listener_kind kind)
{
	return kinds[kind].name;
}

static bool is_unix(struct str address)
{
	return take_prefix(&address, STR("unix:")) && address.n > 0;
}

bool listener_is_local(struct str address)
{
	struct sockaddr_storage at;

	return is_unix(address) || (address_parse(address, &at) && address_is_loopback(&at));
}

bool listeners_want(const struct config *cfg, enum listener_kind kind)
{
	struct str rest = str_of(cfg->listen), one;

	while (str_next(&rest, ',', &one))
		if (listener_kind(&one) == kind)
			return true;
	return false;
}

/* Whoever reaches an edge's socket may say that anybody calls: who may is the file system's to say.
 */
static void check_edge(struct str address, bool callers_are_known)
{
	struct str name = address;

	if (!is_unix(address) && !listener_is_held(&name))
		config_refuse("listen", "edge: goes before unix:/path or fd:NAME, not " STR_FMT,
			      STR_ARG(address));
	if (!callers_are_known)
		config_refuse("listen",
			      "edge: is for auth=required: with none nobody is asked "
			      "who calls");
}

/* `rest`: the list behind it. */
static void check_held(enum listener_kind kind, struct str name, struct str rest)
{
	struct str one;

	if (name.n == 0)
		config_refuse("listen", "behind fd: stands the name of a socket");
	if (kind == LISTENER_TLS)
		config_refuse("listen",
			      "tls: goes before host:port, not fd:" STR_FMT
			      ": gRPC speaks no TLS on sockets that others have made",
			      STR_ARG(name));
	while (str_next(&rest, ',', &one)) {
		(void)listener_kind(&one);
		if (listener_is_held(&one) && str_eq(one, name))
			config_refuse("listen", "fd:" STR_FMT " stands there twice", STR_ARG(name));
	}
}

static void check_grpc(const struct config *cfg, bool callers_are_known)
{
	struct str rest = str_of(cfg->listen), one;

	while (str_next(&rest, ',', &one)) {
		struct str address = one;
		enum listener_kind kind = listener_kind(&address);
		struct sockaddr_storage at;

		if (kind == LISTENER_EDGE)
			check_edge(address, callers_are_known);
		if (listener_is_held(&address)) {
			check_held(kind, address, rest);
			continue; /* whether it is local is seen when it is taken */
		}
		if (kind == LISTENER_TLS && !address_parse(address, &at))
			config_refuse("listen", "tls: goes before host:port, not " STR_FMT,
				      STR_ARG(one));
		if (listener_is_local(address))
			continue;
		if (!callers_are_known)
			config_refuse("listen",
				      "with auth=none only loopback addresses and unix sockets may "
				      "be listened on, not " STR_FMT,
				      STR_ARG(one));
		if (kind != LISTENER_TLS)
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

void listeners_check_held_edge(struct str one, const char *address)
{
	struct str path = str_of(address);
	struct stat st;

	if (!take_prefix(&path, STR("unix:")))
		config_refuse("listen", STR_FMT ": an edge's socket is a unix one, not %s",
			      STR_ARG(one), address);
	if (stat(path.p, &st) != 0 || (st.st_mode & S_IWOTH) != 0)
		config_refuse("listen",
			      STR_FMT
			      ": whoever can connect to %s can be anybody, and everybody "
			      "can: it needs SocketMode=0660",
			      STR_ARG(one), path.p);
}
