/*
 * A private redis-server: unix socket and data in a directory of its own, no persistence
 * unless asked for, ended with the test even if the test crashes.
 */
#ifndef TESTS_SUPPORT_REDIS_H
#define TESTS_SUPPORT_REDIS_H

#include <stdbool.h>
#include <stdint.h>

struct redis_server;

/* Starts and waits until it accepts connections.  A test fails if it does not. */
struct redis_server *redis_server_start(void);
void redis_server_stop(struct redis_server *s); /* and remove the directory */

const char *redis_server_address(const struct redis_server *s); /* "unix:/tmp/.../s" */
int redis_server_port(const struct redis_server *s);            /* on 127.0.0.1 */

void redis_server_kill(struct redis_server *s);                /* SIGKILL; everything is lost */
void redis_server_again(struct redis_server *s);               /* start anew at the same address */
void redis_server_freeze(struct redis_server *s, bool frozen); /* SIGSTOP, SIGCONT */

/* Ask it something, as printf and hiredis understand it, and wait.  An error fails the test. */
int64_t redis_server_int(struct redis_server *s, const char *fmt, ...); /* nil: -1 */
void redis_server_do(struct redis_server *s, const char *fmt, ...);
/* Sum of an integer command over all keys that match: sum(s, "XLEN", "{q*}:payment:*"). */
int64_t redis_server_sum(struct redis_server *s, const char *command, const char *keys);

#endif
