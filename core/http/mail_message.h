/* A mail as it goes over the wire, after DATA, the final dot included. */
#ifndef ORDERD_HTTP_MAIL_MESSAGE_H
#define ORDERD_HTTP_MAIL_MESSAGE_H

#include "core/base/arena.h"
#include "core/base/trace.h"
#include "core/http/mail.h"

/* p == NULL when the arena is full.  What goes into the head has been checked.  `trace` may be
 * none. */
struct str mail_message(struct arena *a, const struct mail *m, const struct trace *trace);

#endif
