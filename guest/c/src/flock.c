#include "sock.h"

#include <sys/file.h>
#include <wasi/api.h>

int flock(int fd, int operation)
{
	__wasi_fdstat_t stat;
	int32_t err = __wasi_fd_fdstat_get(fd, &stat);

	if (err != 0)
		return result(err);
	switch (operation & ~LOCK_NB) {
	case LOCK_SH:
	case LOCK_EX:
	case LOCK_UN:
		return 0;
	}
	return result(EINVAL);
}
