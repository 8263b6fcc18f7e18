/*
 * JSON from outside: bounded in depth before the parser, which goes as deep on the stack, and no
 * member twice.
 */
#ifndef ORDERD_SERVER_JSON_H
#define ORDERD_SERVER_JSON_H

#include <jansson.h>

#include "core/base/str.h"

/* NULL and *ret_why when it is not well; else the caller's, for json_decref(). */
json_t *json_read(struct str text, unsigned depth_max, const char **ret_why);

/* The text of a string; p == NULL when `j` is none. */
struct str json_text(const json_t *j);

#endif
