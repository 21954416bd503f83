/* <sys/stat.h>: wasi-libc's, umask, and functions of modes. */
#include_next <sys/stat.h>

#ifndef WASPORT_SYS_STAT_H
#define WASPORT_SYS_STAT_H

/* wasi-libc has the number of S_IFSOCK for this as well, but they have to be distinct (POSIX,
 * sys/stat.h). WASI has no files of this type. */
#undef S_IFIFO
#define S_IFIFO 0x1000

#ifdef __cplusplus
extern "C" {
#endif

/* Stores the mask, which has no effect: WASI creates files without modes. */
mode_t umask(mode_t);

/* WASI's files have no permissions: these fail with ENOTSUP. */
int chmod(const char *, mode_t);
int fchmod(int, mode_t);

/* WASI has no FIFOs: it fails with ENOTSUP. */
int mkfifo(const char *, mode_t);

#ifdef __cplusplus
}
#endif

#endif
