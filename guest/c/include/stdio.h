/* <stdio.h>: wasi-libc's, which declares tmpfile as deprecated and does not define it, and tmpfile.
 */
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

#ifdef __cplusplus
}
#endif

#else
#include_next <stdio.h>
#endif
