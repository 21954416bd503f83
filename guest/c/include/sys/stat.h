/* <sys/stat.h>: wasi-libc's, and umask, chmod and fchmod. */
#include_next <sys/stat.h>

#ifndef WASPORT_SYS_STAT_H
#define WASPORT_SYS_STAT_H

#ifdef __cplusplus
extern "C" {
#endif

/* Stores the mask, which has no effect: WASI creates files without modes. */
mode_t umask(mode_t);

/* WASI's files have no permissions: these fail with ENOTSUP. */
int chmod(const char *, mode_t);
int fchmod(int, mode_t);

#ifdef __cplusplus
}
#endif

#endif
