/*
 * Where to listen, as settings name it: "127.0.0.1:7070", "[::1]:0", "localhost:7071".
 * Names are not looked up; "localhost" is this machine by RFC 6761.
 */
#ifndef ORDERD_LISTEN_ADDRESS_H
#define ORDERD_LISTEN_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "core/base/str.h"

bool address_parse(struct str text, struct sockaddr_storage *ret);
bool address_is_loopback(const struct sockaddr_storage *a);

#endif
