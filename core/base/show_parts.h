/*
 * The views that every program has; for show.c alone.
 */
#ifndef ORDERD_BASE_SHOW_PARTS_H
#define ORDERD_BASE_SHOW_PARTS_H

#include "core/base/show.h"

void show_config(struct show *s, const void *cfg);  /* struct config: config_show.c */
void show_version(struct show *s, const void *arg); /* struct show_board: show_process.c */
void show_memory(struct show *s, const void *none); /* show_process.c */

#endif
