#include "sock.h"

#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>
#include <wasi/api.h>

_Static_assert(POLLIN == POLLRDNORM && POLLOUT == POLLWRNORM, "one bit for each direction");

enum { STACK_FDS = 8 };

static const uint64_t NO_TIMEOUT = UINT64_MAX;

#if WASPORT_EXT
_Static_assert(sizeof(struct pollfd) == sizeof(wasport_pollfd) &&
                   offsetof(struct pollfd, revents) == offsetof(wasport_pollfd, revents),
    "struct pollfd is the ABI's");
_Static_assert(POLLIN == 1 && POLLOUT == 2 && POLLERR == 0x1000 && POLLHUP == 0x2000 &&
                   POLLNVAL == 0x4000,
    "the events are the ABI's");

/* Waits for ns nanoseconds. Returns the number of descriptors with events, or -1. */
static int poll_fds(struct pollfd *fds, nfds_t n, uint64_t ns)
{
	uint32_t ready;
	int32_t err = wasport_fd_poll(
	    (wasport_pollfd *)fds, n, ns > INT64_MAX ? -1 : (int64_t)ns, &ready);
	return result(err) != 0 ? -1 : (int)ready;
}
#else
static void subscribe(__wasi_subscription_t *s, uint8_t tag, size_t which, int fd)
{
	s->userdata = which;
	s->u.tag = tag;
	s->u.u.fd_read.file_descriptor = fd;
}

static void subscribe_clock(__wasi_subscription_t *s, uint64_t ns)
{
	s->userdata = SIZE_MAX;
	s->u.tag = __WASI_EVENTTYPE_CLOCK;
	s->u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
	s->u.u.clock.timeout = ns;
	s->u.u.clock.precision = 0;
	s->u.u.clock.flags = 0;
}

static short revents_of_event(const __wasi_event_t *e)
{
	/* The direction is reported beside POLLERR, for callers that check only that one. */
	int revents = 0;

	if (e->type == __WASI_EVENTTYPE_FD_READ)
		revents = POLLIN;
	else if (e->type == __WASI_EVENTTYPE_FD_WRITE)
		revents = POLLOUT;

	if (e->error == __WASI_ERRNO_BADF)
		return POLLNVAL;
	if (e->error != 0)
		revents |= POLLERR;
	if (e->fd_readwrite.flags & __WASI_EVENTRWFLAGS_FD_READWRITE_HANGUP)
		revents |= POLLHUP;
	return (short)revents;
}

/* Waits for ns nanoseconds. Returns the number of descriptors with events, or -1. */
static int poll_fds(struct pollfd *fds, nfds_t n, uint64_t ns)
{
	__wasi_subscription_t stack_subscriptions[STACK_FDS], *subscriptions = stack_subscriptions;
	__wasi_event_t stack_events[STACK_FDS], *events = stack_events;
	size_t count = 0, got = 0;
	int ready = 0;
	int32_t err;

	if (n > SIZE_MAX / 2 / (sizeof *subscriptions + sizeof *events) - 1)
		return result(EINVAL);
	if (2 * n + 1 > STACK_FDS) {
		subscriptions = malloc((2 * n + 1) * (sizeof *subscriptions + sizeof *events));
		if (subscriptions == NULL)
			return result(ENOMEM);
		events = (__wasi_event_t *)(subscriptions + 2 * n + 1);
	}
	for (nfds_t i = 0; i < n; i++) {
		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		if (fds[i].events & POLLIN)
			subscribe(&subscriptions[count++], __WASI_EVENTTYPE_FD_READ, i, fds[i].fd);
		if (fds[i].events & POLLOUT)
			subscribe(&subscriptions[count++], __WASI_EVENTTYPE_FD_WRITE, i, fds[i].fd);
		if (fds[i].events & (POLLIN | POLLOUT))
			continue;
		/* Without wasport's own event, only POLLNVAL can be reported. */
		__wasi_fdstat_t stat;
		if (__wasi_fd_fdstat_get(fds[i].fd, &stat) == __WASI_ERRNO_BADF) {
			fds[i].revents = POLLNVAL;
			ns = 0;
		}
	}
	if (ns != NO_TIMEOUT)
		subscribe_clock(&subscriptions[count++], ns);
	else if (count == 0)
		subscribe_clock(&subscriptions[count++], INT64_MAX);

	err = __wasi_poll_oneoff(subscriptions, events, count, &got);
	for (size_t i = 0; err == 0 && i < got; i++)
		if (events[i].type != __WASI_EVENTTYPE_CLOCK)
			fds[events[i].userdata].revents |= revents_of_event(&events[i]);
	if (subscriptions != stack_subscriptions)
		free(subscriptions);
	if (err != 0)
		return result(err);
	for (nfds_t i = 0; i < n; i++)
		ready += fds[i].revents != 0;
	return ready;
}
#endif

static uint64_t nanoseconds(const struct timespec *ts)
{
	const int64_t most = INT64_MAX / 1000000000 - 1;
	return (uint64_t)(ts->tv_sec > most ? most : ts->tv_sec) * 1000000000 + (uint64_t)ts->tv_nsec;
}

static bool valid_timespec(const struct timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < 1000000000;
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return poll_fds(fds, n, timeout < 0 ? NO_TIMEOUT : (uint64_t)timeout * 1000000);
}

/* There are no signals, so the mask has no effect. */
int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	(void)mask;
	if (timeout != NULL && !valid_timespec(timeout))
		return result(EINVAL);
	return poll_fds(fds, n, timeout == NULL ? NO_TIMEOUT : nanoseconds(timeout));
}

/* wasi-libc's fd_set is a list. Adds the descriptors below limit to fds. */
static size_t add_fds(struct pollfd *fds, size_t n, const fd_set *set, int limit, short events)
{
	for (size_t i = 0; set != NULL && i < set->__nfds; i++)
		if (set->__fds[i] < limit)
			fds[n++] = (struct pollfd){.fd = set->__fds[i], .events = events};
	return n;
}

/* Leaves the ready descriptors in the set, and returns their number. */
static int keep_ready(fd_set *set, const struct pollfd *fds, size_t n)
{
	if (set == NULL)
		return 0;
	FD_ZERO(set);
	for (size_t i = 0; i < n; i++)
		if (fds[i].revents != 0)
			set->__fds[set->__nfds++] = fds[i].fd;
	return (int)set->__nfds;
}

int pselect(int limit, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict excepts,
	const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
	struct pollfd stack_fds[STACK_FDS], *fds = stack_fds;
	size_t room = (reads != NULL ? reads->__nfds : 0) + (writes != NULL ? writes->__nfds : 0);
	size_t readers, all;
	int ready;

	(void)mask;
	if (limit < 0 || (timeout != NULL && !valid_timespec(timeout)))
		return result(EINVAL);
	if (room > STACK_FDS && (fds = malloc(room * sizeof *fds)) == NULL)
		return result(ENOMEM);
	readers = add_fds(fds, 0, reads, limit, POLLIN);
	all = add_fds(fds, readers, writes, limit, POLLOUT);
	ready = poll_fds(fds, all, timeout == NULL ? NO_TIMEOUT : nanoseconds(timeout));
	for (size_t i = 0; ready > 0 && i < all; i++)
		if (fds[i].revents & POLLNVAL)
			ready = result(EBADF);
	if (ready >= 0) {
		ready = keep_ready(reads, fds, readers) + keep_ready(writes, fds + readers, all - readers);
		/* The exceptional condition of a socket is urgent data, which the ABI does not have. */
		if (excepts != NULL)
			FD_ZERO(excepts);
	}
	if (fds != stack_fds)
		free(fds);
	return ready;
}

int select(int limit, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict excepts,
	struct timeval *restrict timeout)
{
	struct timespec ts;
	if (timeout == NULL)
		return pselect(limit, reads, writes, excepts, NULL, NULL);
	if (timeout->tv_sec < 0 || timeout->tv_usec < 0)
		return result(EINVAL);
	ts.tv_sec = timeout->tv_sec + timeout->tv_usec / 1000000;
	ts.tv_nsec = (long)(timeout->tv_usec % 1000000 * 1000);
	return pselect(limit, reads, writes, excepts, &ts, NULL);
}
