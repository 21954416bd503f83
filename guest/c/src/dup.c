#include "sock.h"

#include <fcntl.h>
#include <unistd.h>

int dup(int fd)
{
#if WASPORT_EXT
	int32_t copy;
	return result(wasport_fd_dup(fd, 0, &copy)) != 0 ? -1 : copy;
#else
	(void)fd;
	return result(ENOSYS);
#endif
}

int dup2(int fd, int to)
{
#if WASPORT_EXT
	return result(wasport_fd_dup_to(fd, to)) != 0 ? -1 : to;
#else
	(void)fd, (void)to;
	return result(ENOSYS);
#endif
}

int dup3(int fd, int to, int flags)
{
	if (fd == to || (flags & ~O_CLOEXEC))
		return result(EINVAL);
	return dup2(fd, to);
}
