/* <fcntl.h>: wasi-libc's, with flags for #if, and the commands of fcntl that duplicate descriptors
 * and lock files. */
#include_next <fcntl.h>

#ifndef WASPORT_FCNTL_H
#define WASPORT_FCNTL_H

/* wasi-libc's have casts, but #if has to take them (POSIX, fcntl.h). The values are the same. */
#undef O_APPEND
#undef O_DSYNC
#undef O_NONBLOCK
#undef O_RSYNC
#undef O_SYNC
#undef O_CREAT
#undef O_DIRECTORY
#undef O_EXCL
#undef O_TRUNC
#define O_APPEND 0x1
#define O_DSYNC 0x2
#define O_NONBLOCK 0x4
#define O_RSYNC 0x8
#define O_SYNC 0x10
#define O_CREAT 0x1000
#define O_DIRECTORY 0x2000
#define O_EXCL 0x4000
#define O_TRUNC 0x8000

/* These fail with ENOSYS in a module with WAMR's imports only. FD_CLOEXEC has no effect. */
#define F_DUPFD 0
#ifndef F_DUPFD_CLOEXEC
#define F_DUPFD_CLOEXEC 1030
#endif

/* WASI has no locks: these fail with ENOTSUP. */
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#ifndef F_RDLCK
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
#endif

#endif
