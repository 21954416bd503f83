#include "sock.h"

#include <limits.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wasi/api.h>

/* Finds the number of readable bytes, which poll_oneoff returns with the event of readability. */
static int32_t readable_bytes(int fd, int *n)
{
#if WASPORT_EXT
	__wasi_subscription_t subscriptions[2] = {
		{.userdata = 0, .u.tag = __WASI_EVENTTYPE_FD_READ, .u.u.fd_read.file_descriptor = fd},
		{.userdata = 1, .u.tag = __WASI_EVENTTYPE_CLOCK, .u.u.clock.id = __WASI_CLOCKID_MONOTONIC},
	};
	__wasi_event_t events[2];
	size_t got = 0;
	int32_t err = __wasi_poll_oneoff(subscriptions, events, 2, &got);
	if (err != 0)
		return err;
	*n = 0;
	for (size_t i = 0; i < got; i++) {
		if (events[i].userdata != 0)
			continue;
		if (events[i].error == __WASI_ERRNO_BADF)
			return EBADF;
		*n = events[i].fd_readwrite.nbytes > INT_MAX ? INT_MAX : (int)events[i].fd_readwrite.nbytes;
	}
	return 0;
#else
	(void)fd, (void)n;
	return ENOTSUP;
#endif
}

int ioctl(int fd, int request, ...)
{
	va_list args;
	int *value;
	bool was;
	__wasi_fdstat_t stat;

	va_start(args, request);
	value = va_arg(args, int *);
	va_end(args);
	switch (request) {
	case FIONREAD:
		return result(value == NULL ? EFAULT : readable_bytes(fd, value));
	case FIONBIO:
		return result(value == NULL ? EFAULT : __wasport_set_nonblock(fd, *value != 0, &was));
	case SIOCATMARK:
		if (value == NULL)
			return result(EFAULT);
		*value = 0;
		return sockatmark(fd);
	case TIOCGWINSZ:
		if (!isatty(fd))
			return -1;
		if (value == NULL)
			return result(EFAULT);
		*(struct winsize *)value = (struct winsize){0};
		return 0;
	}
	return result(__wasi_fd_fdstat_get(fd, &stat) == __WASI_ERRNO_BADF ? EBADF : ENOTTY);
}
