#include "sock.h"

#include <fcntl.h>
#include <stdarg.h>
#include <wasi/api.h>

#define FLAG(name) _Static_assert(O_##name == __WASI_FDFLAGS_##name, #name)
FLAG(APPEND);
FLAG(DSYNC);
FLAG(NONBLOCK);
FLAG(RSYNC);
FLAG(SYNC);
#undef FLAG
#define FLAG(name) _Static_assert(O_##name == __WASI_OFLAGS_##name << 12, #name)
FLAG(CREAT);
FLAG(DIRECTORY);
FLAG(EXCL);
FLAG(TRUNC);
#undef FLAG

static int status_flags(const __wasi_fdstat_t *stat)
{
	bool reads = stat->fs_rights_base & (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_READDIR);
	bool writes = stat->fs_rights_base & __WASI_RIGHTS_FD_WRITE;

	return stat->fs_flags | (reads ? O_RDONLY : 0) | (writes ? O_WRONLY : 0) |
	       (!reads && !writes ? O_SEARCH : 0);
}

static int duplicate(int fd, int least)
{
#if WASPORT_EXT
	int32_t copy;
	return result(wasport_fd_dup(fd, least, &copy)) != 0 ? -1 : copy;
#else
	(void)fd, (void)least;
	return result(ENOSYS);
#endif
}

/* wasi-libc's fcntl neither duplicates nor knows of locks. */
int fcntl(int fd, int command, ...)
{
	__wasi_fdstat_t stat;
	int32_t err = __wasi_fd_fdstat_get(fd, &stat);
	va_list rest;
	int value = 0;

	if (err != 0)
		return result(err);
	if (command == F_SETFL || command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
		va_start(rest, command);
		value = va_arg(rest, int);
		va_end(rest);
	}
	switch (command) {
	case F_GETFD: /* there is no exec that a descriptor could survive */
		return FD_CLOEXEC;
	case F_SETFD:
		return 0;
	case F_GETFL:
		return status_flags(&stat);
	case F_SETFL: /* the access mode and flags of open are ignored (POSIX, fcntl) */
		return result(__wasi_fd_fdstat_set_flags(fd, (__wasi_fdflags_t)(value & 0xfff)));
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return duplicate(fd, value);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
		return result(ENOTSUP);
	}
	return result(EINVAL);
}
