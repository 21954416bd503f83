/* <sys/stat.h>: wasi-libc's, and umask. */
#include_next <sys/stat.h>

#ifndef WASPORT_SYS_STAT_H
#define WASPORT_SYS_STAT_H

#ifdef __cplusplus
extern "C" {
#endif

/* Stores the mask, which has no effect: WASI creates files without modes. */
mode_t umask(mode_t);

#ifdef __cplusplus
}
#endif

#endif
