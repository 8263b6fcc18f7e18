/*
 * How orderctl ends, by cause.  Scripts stand on these numbers: they are never given another
 * meaning.
 */
#ifndef ORDERCTL_EXIT_CODES_H
#define ORDERCTL_EXIT_CODES_H

#define EXIT_CODES(X)                                                                         \
	X(0, DONE, "done")                                                                    \
	X(1, REFUSED,                                                                         \
	  "refused: the request is not valid, the order's state does not allow "              \
	  "it, or a file cannot be read or written")                                          \
	X(2, USAGE, "wrong usage; nobody was asked")                                          \
	X(3, UNKNOWN,                                                                         \
	  "the outcome is not known: a change whose answer was lost, which is repeated with " \
	  "the same --request-id; or a watch that ended before its order")                    \
	X(4, NOT_FOUND, "there is no such thing")                                             \
	X(5, UNAVAILABLE,                                                                     \
	  "no answer, and nothing was changed: the server is not reachable, overloaded, too " \
	  "slow, or has failed")                                                              \
	X(6, NOT_PERMITTED, "not permitted, or not known to the server")                      \
	X(7, BROKEN, "what is on record is not whole, or not what it was")

#define X(code, name, help) EXIT_##name = (code),

enum exit_code { EXIT_CODES(X) };

#undef X

#endif
