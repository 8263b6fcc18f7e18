/*
 * Small files, whole: settings, secrets, certificates.  Blocking; before the loop runs, or on a
 * thread that may wait.
 */
#ifndef ORDERD_BASE_FILE_H
#define ORDERD_BASE_FILE_H

#include <stddef.h>

/*
 * The file's bytes and a NUL behind them, heap, the caller's; NULL with errno set, EFBIG when it
 * has more than `most` bytes.
 */
char *file_read(const char *path, size_t most, size_t *ret_n);

/* Wipes and frees what file_read() gave; NULL is fine. */
void file_wipe(char *text, size_t n);

#endif
