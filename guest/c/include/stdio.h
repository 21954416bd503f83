/* <stdio.h>: wasi-libc's, which declares tmpfile as deprecated and does not define it, with tmpfile
 * and locks of streams. */
#ifndef WASPORT_STDIO_H
#define WASPORT_STDIO_H

#define tmpfile __wasport_no_tmpfile
#include_next <stdio.h>
#undef tmpfile

#ifdef __cplusplus
extern "C" {
#endif

/* Needs a directory /tmp. */
FILE *tmpfile(void);

/* wasi-libc has these with threads alone. */
void flockfile(FILE *);
int ftrylockfile(FILE *);
void funlockfile(FILE *);

#ifdef __cplusplus
}
#endif

#else
#include_next <stdio.h>
#endif
