/*
 * Page tokens of lists: where a page ended, sealed, and bound to the list, the tenant and the
 * filter: a token cannot be made up or used with another filter, and tells its holder nothing.  A
 * page may end at what was looked at and is somebody else's.
 */
#ifndef ORDERD_SERVER_PAGE_TOKEN_H
#define ORDERD_SERVER_PAGE_TOKEN_H

#include "core/base/base64url.h"
#include "core/base/seal.h"
#include "core/base/str.h"
#include "core/flow/flow.h"

enum { PAGE_PLACE_MAX = 128, PAGE_FILTER_MAX = 512 /* bytes */ };

/* In the flow's arena; empty: that is full. */
struct str page_token_make(struct flow *fl, const char *list, struct str filter, struct str place);

/* The same into a buffer: for what makes many in one flow. */
enum { PAGE_TOKEN_SIZE = BASE64URL_LENGTH(PAGE_PLACE_MAX + SEAL_OVERHEAD) + 1 };

struct str page_token_write(struct flow *fl, const char *list, struct str filter, struct str place,
			    char buf[PAGE_TOKEN_SIZE]);

/* The place; p is NULL when this is no token of this list with this filter. */
struct str page_token_open(struct flow *fl, const char *list, struct str filter, struct str token);

#endif
