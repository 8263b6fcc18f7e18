/*
 * Where a Redis is: host:port, [v6]:port or unix:/path.
 */
#ifndef ORDERD_QUEUE_REDIS_ADDRESS_H
#define ORDERD_QUEUE_REDIS_ADDRESS_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

enum { REDIS_IP_SIZE = NI_MAXHOST };

struct redis_address {
	char *host; /* or the path of the unix socket */
	char port[6];
	bool is_unix;
};

bool redis_address_parse(struct redis_address *a, const char *text);
void redis_address_done(struct redis_address *a);

/* One address of those found for a name, in text; each attempt gets the next, since "localhost" may
 * be ::1 first and the server not there. */
bool redis_address_choose(const struct addrinfo *found, uint32_t attempt, char ip[REDIS_IP_SIZE]);

#endif
