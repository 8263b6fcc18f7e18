/*
 * base64url without padding (RFC 4648, 5; RFC 7515, 2), strictly: one text per value, so that a
 * token cannot be written in two ways.
 */
#ifndef ORDERD_BASE_BASE64URL_H
#define ORDERD_BASE_BASE64URL_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/str.h"

#define BASE64URL_LENGTH(bytes) (((bytes)*4 + 2) / 3)
#define BASE64URL_BYTES(length) ((length)*3 / 4)

/* Writes BASE64URL_LENGTH(n) characters and a NUL. */
void base64url_encode(const void *data, size_t n, char *ret);

/*
 * Writes BASE64URL_BYTES(text.n) bytes to `ret`.  false: a character that is not of the alphabet,
 * padding, an impossible length, or bits behind the last byte that are not zero.
 */
bool base64url_decode(struct str text, uint8_t *ret);

#endif
