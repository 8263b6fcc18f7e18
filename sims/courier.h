/* One HTTP POST at a time, with a deadline, that another thread can break off. */
#ifndef ORDERD_SIMS_COURIER_H
#define ORDERD_SIMS_COURIER_H

#include <stddef.h>
#include <stdint.h>

struct courier;

struct courier *courier_new(void);
void courier_free(struct courier *c);

/* The status of the answer; 0: there was none in time, or courier_stop() was called. */
int courier_post(struct courier *c, const char *url, const char *header, const char *body, size_t n,
		 int64_t timeout_ms);

void courier_stop(struct courier *c); /* any thread; for good */

#endif
