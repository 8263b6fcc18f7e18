/* The HTTP side: libmicrohttpd, one thread per connection, one `struct call` per request. */
#ifndef ORDERD_SIMS_WEB_H
#define ORDERD_SIMS_WEB_H

#include "sims/sim.h"

struct web;

/* Listen on an IPv4 address, port 0 for any free one; NULL when it cannot, errno says why. */
struct web *web_open(struct sim *sim, const char *address, int port, int *ret_port);
void web_close(struct web *w); /* waits for calls at work */

#endif
