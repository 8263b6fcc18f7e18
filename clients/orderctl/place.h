/*
 * Placing many orders.
 */
#ifndef ORDERCTL_PLACE_H
#define ORDERCTL_PLACE_H

#include <stdio.h>

#include "args.h"

enum { INVALID_ARGUMENT = 3 };

/*
 * An order from each line of `in`, and a line of result for each.  `batch` NULL: every line brings
 * its request_id.  Answers the exit code: that of the line where it ended, or REFUSED if any line
 * was.
 */
int place_many(struct args *a, FILE *in, const char *batch);

#endif
