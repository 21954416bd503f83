#include "sock.h"

#include <stddef.h>
#include <sys/epoll.h>
#include <time.h>

_Static_assert(sizeof(struct epoll_event) == sizeof(wasport_epoll_event) &&
                   offsetof(struct epoll_event, data) == offsetof(wasport_epoll_event, data),
    "struct epoll_event is the ABI's event");

int epoll_create1(int flags)
{
	if (flags & ~EPOLL_CLOEXEC)
		return result(EINVAL);
#if WASPORT_EXT
	int32_t fd;
	return result(wasport_epoll_create(&fd)) != 0 ? -1 : fd;
#else
	return result(ENOSYS);
#endif
}

int epoll_create(int size)
{
	return size <= 0 ? result(EINVAL) : epoll_create1(0);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	if (event == NULL && operation != EPOLL_CTL_DEL)
		return result(EFAULT);
#if WASPORT_EXT
	return result(wasport_epoll_control(epoll, operation, fd, event != NULL ? event->events : 0,
	    event != NULL ? event->data.u64 : 0));
#else
	(void)epoll, (void)fd;
	return result(ENOSYS);
#endif
}

static int wait_ns(int epoll, struct epoll_event *events, int capacity, int64_t ns)
{
#if WASPORT_EXT
	uint32_t count;
	int32_t err =
	    wasport_epoll_wait(epoll, (wasport_epoll_event *)events, capacity, ns, &count);
	return result(err) != 0 ? -1 : (int)count;
#else
	(void)epoll, (void)events, (void)capacity, (void)ns;
	return result(ENOSYS);
#endif
}

int epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout)
{
	return wait_ns(epoll, events, capacity, timeout < 0 ? -1 : (int64_t)timeout * 1000000);
}

/* There are no signals, so the mask has no effect. */
int epoll_pwait(
    int epoll, struct epoll_event *events, int capacity, int timeout, const sigset_t *mask)
{
	(void)mask;
	return epoll_wait(epoll, events, capacity, timeout);
}

int epoll_pwait2(int epoll, struct epoll_event *events, int capacity,
    const struct timespec *timeout, const sigset_t *mask)
{
	const int64_t most = INT64_MAX / 1000000000 - 1;

	(void)mask;
	if (timeout == NULL)
		return wait_ns(epoll, events, capacity, -1);
	if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000)
		return result(EINVAL);
	return wait_ns(epoll, events, capacity,
	    (timeout->tv_sec > most ? most : timeout->tv_sec) * 1000000000 + timeout->tv_nsec);
}
