#include "sock.h"

#include <fcntl.h>
#include <unistd.h>

int pipe2(int fds[2], int flags)
{
	if (flags & ~(O_NONBLOCK | O_CLOEXEC))
		return result(EINVAL);
#if WASPORT_EXT
	return result(wasport_fd_pipe(flags & O_NONBLOCK ? WASPORT_NONBLOCK : 0, &fds[0], &fds[1]));
#else
	(void)fds;
	return result(ENOSYS);
#endif
}

int pipe(int fds[2])
{
	return pipe2(fds, 0);
}
