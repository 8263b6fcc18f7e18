#ifndef ORDERD_TESTS_LOOPBACK_H
#define ORDERD_TESTS_LOOPBACK_H

/* A loopback socket that nobody else can have; not listening. */
int bound_socket(int *ret_port);

#endif
