/*
 * For tests of orderctl, which has a print_error() as cmocka has: fail_msg() would call ours.
 */
#ifndef ORDERD_TESTS_UNIT_CTL_H
#define ORDERD_TESTS_UNIT_CTL_H

#define FAIL_SAYING(...)                    \
	do {                                \
		print_message(__VA_ARGS__); \
		print_message("\n");        \
		fail();                     \
	} while (0)

#endif
