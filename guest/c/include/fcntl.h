/* <fcntl.h>: wasi-libc's, and the commands of fcntl that duplicate descriptors and lock files. */
#include_next <fcntl.h>

#ifndef WASPORT_FCNTL_H
#define WASPORT_FCNTL_H

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
