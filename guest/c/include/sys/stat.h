/* <sys/stat.h>: wasi-libc's, and umask. */
#include_next <sys/stat.h>

#ifndef WASPORT_SYS_STAT_H
#define WASPORT_SYS_STAT_H

#ifdef __cplusplus
extern "C" {
#endif

/* Remembers the mask. WASI's files are made without modes, so there is nothing to take away from.
 */
mode_t umask(mode_t);

#ifdef __cplusplus
}
#endif

#endif
