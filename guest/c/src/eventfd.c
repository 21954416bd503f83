#include "sock.h"

#include <sys/eventfd.h>
#include <unistd.h>

int eventfd(unsigned int initial, int flags)
{
	if (flags & ~(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK))
		return result(EINVAL);
#if WASPORT_EXT
	int32_t fd;
	uint32_t own = (flags & EFD_NONBLOCK ? WASPORT_NONBLOCK : 0) |
	               (flags & EFD_SEMAPHORE ? WASPORT_SEMAPHORE : 0);
	return result(wasport_fd_event(initial, own, &fd)) != 0 ? -1 : fd;
#else
	(void)initial;
	return result(ENOSYS);
#endif
}

int eventfd_read(int fd, eventfd_t *value)
{
	return read(fd, value, sizeof *value) == sizeof *value ? 0 : -1;
}

int eventfd_write(int fd, eventfd_t value)
{
	return write(fd, &value, sizeof value) == sizeof value ? 0 : -1;
}
