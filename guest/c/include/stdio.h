/* <stdio.h>: wasi-libc's, which warns that there is no tmpfile, and tmpfile. */
#ifndef WASPORT_STDIO_H
#define WASPORT_STDIO_H

#define tmpfile __wasport_no_tmpfile
#include_next <stdio.h>
#undef tmpfile

#ifdef __cplusplus
extern "C" {
#endif

/* Takes a directory /tmp. */
FILE *tmpfile(void);

#ifdef __cplusplus
}
#endif

#else
#include_next <stdio.h>
#endif
