/* A mail as it goes over the wire, after DATA, the final dot included. */
#ifndef ORDERD_HTTP_MAIL_MESSAGE_H
#define ORDERD_HTTP_MAIL_MESSAGE_H

#include "core/base/arena.h"
#include "core/http/mail.h"

/* p == NULL when the arena is full.  What goes into the head has been checked. */
struct str mail_message(struct arena *a, const struct mail *m);

#endif
