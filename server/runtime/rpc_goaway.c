/*
 * GOAWAY while serving on.
 *
 * gRPC's public interface knows one way to tell clients to leave,
 * grpc_server_shutdown_and_notify(), and from that moment on each call that comes in is ended as
 * CANCELLED: those that clients sent before they read the GOAWAY, too.  Inside, shutting down is
 * three things done at once: refuse, close the listeners, send GOAWAY.  The last two are functions
 * of their own.  They are called here, ahead of the first, so that clients leave while whatever is
 * still on its way is served.
 *
 * They are no part of the public interface, so this is done with the one version it was tried with
 * (docs/adr/0017-leaving-without-cancelling.md).  With another, drains are as gRPC makes them.
 */
#include <dlfcn.h>
#include <string.h>

#include <grpc/grpc_security.h>

#include "core/base/log.h"
#include "server/runtime/rpc_runtime.h"

/* Of the core, not of the release: Debian 12's 1.51.1 says so. */
#define KNOWN_CORE "29.0.0"

/* grpc_core::Server::StopListening() and ::SendGoaways(), each harmless when done again. */
#define STOP_LISTENING "_ZN9grpc_core6Server13StopListeningEv"
#define SEND_GOAWAYS   "_ZN9grpc_core6Server11SendGoawaysEv"

typedef void (*server_method)(grpc_server *core);

static server_method method_of(const char *symbol)
{
	void *found = dlsym(RTLD_DEFAULT, symbol);
	server_method m;

	memcpy(&m, &found, sizeof(m)); /* ISO C has no cast for it; POSIX says they are alike */
	return m;
}

static void leave(void *core)
{
	method_of(STOP_LISTENING)(core);
	method_of(SEND_GOAWAYS)(core);
}

/*
 * Both must run inside gRPC's execution context, which only its own functions set up.  Releasing
 * credentials does, and calls a function of ours.
 */
static void run_inside(void (*f)(void *arg), void *arg)
{
	grpc_server_credentials *vehicle = grpc_insecure_server_credentials_create();

	grpc_server_credentials_set_auth_metadata_processor(
		vehicle, (grpc_auth_metadata_processor){.destroy = f, .state = arg});
	grpc_server_credentials_release(vehicle);
}

bool rpc_core_leave(grpc_server *core)
{
	if (strcmp(grpc_version_string(), KNOWN_CORE) != 0 || method_of(STOP_LISTENING) == NULL ||
	    method_of(SEND_GOAWAYS) == NULL) {
		log_warn("goaway_unknown", "core=%s", grpc_version_string());
		return false;
	}
	run_inside(leave, core);
	return true;
}
