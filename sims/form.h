/* application/x-www-form-urlencoded as Stripe reads it: `a[b][c]=v`, arrays as `a[]=v` or `a[0]=v`.
 */
#ifndef ORDERD_SIMS_FORM_H
#define ORDERD_SIMS_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* Flat object name -> text, names as written ("metadata[order_id]", "a[]" counted up as "a[0]").
 * NULL when it is no form of UTF-8 text. */
json_t *form_parse(const char *text, size_t n);

/* Add one decoded pair in the same way; false when it is not text. */
bool form_add(json_t *form, const char *name, size_t name_n, const char *value, size_t value_n);

/* The fields below `root` as an object of objects: of {"a[b]": "1"} and "a" {"b": "1"}; NULL when
 * there are none. */
json_t *form_nested(const json_t *form, const char *root);

#endif
