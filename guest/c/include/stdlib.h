/* <stdlib.h>: wasi-libc's, and temporary files and realpath. */
#include_next <stdlib.h>

#ifndef WASPORT_STDLIB_H
#define WASPORT_STDLIB_H

#ifdef __cplusplus
extern "C" {
#endif

int mkstemp(char *);
int mkostemp(char *, int);
char *mkdtemp(char *);
char *realpath(const char *__restrict, char *__restrict);

/* There are no pseudoterminals: it fails with ENOTTY. */
char *ptsname(int);

#ifdef __cplusplus
}
#endif

#endif
