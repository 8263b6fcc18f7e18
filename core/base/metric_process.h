/* Numbers of this process and its version, for metric.c alone. */
#ifndef ORDERD_BASE_METRIC_PROCESS_H
#define ORDERD_BASE_METRIC_PROCESS_H

#include <stdio.h>

void metric_process_print(FILE *out);

#endif
