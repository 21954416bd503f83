#include "sock.h"

#include <wasi/api.h>

int32_t __wasport_socktype(int fd, int *type)
{
	__wasi_fdstat_t stat;
	int32_t err = __wasi_fd_fdstat_get(fd, &stat);
	if (err != 0)
		return err;
	if (stat.fs_filetype != __WASI_FILETYPE_SOCKET_STREAM &&
	    stat.fs_filetype != __WASI_FILETYPE_SOCKET_DGRAM)
		return ENOTSOCK;
	*type = stat.fs_filetype;
	return 0;
}

int32_t __wasport_set_nonblock(int fd, bool on, bool *was)
{
	__wasi_fdstat_t stat;
	int32_t err = __wasi_fd_fdstat_get(fd, &stat);
	if (err != 0)
		return err;
	*was = (stat.fs_flags & __WASI_FDFLAGS_NONBLOCK) != 0;
	if (*was == on)
		return 0;
	return __wasi_fd_fdstat_set_flags(fd, stat.fs_flags ^ __WASI_FDFLAGS_NONBLOCK);
}
