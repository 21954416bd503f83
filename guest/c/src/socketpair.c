#include "sock.h"

/* Pairs exist in AF_UNIX only (socketpair(2)). */
int socketpair(int domain, int type, int protocol, int fds[2])
{
	int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (domain == AF_INET || domain == AF_INET6)
		return result(EOPNOTSUPP);
	if (domain != AF_UNIX)
		return result(EAFNOSUPPORT);
	if (protocol != 0 || (kind != SOCK_STREAM && kind != SOCK_DGRAM))
		return result(EPROTONOSUPPORT);
#if WASPORT_EXT
	return result(wasport_sock_pair(kind == SOCK_STREAM ? WASPORT_STREAM : WASPORT_DGRAM,
	    type & SOCK_NONBLOCK ? WASPORT_NONBLOCK : 0, &fds[0], &fds[1]));
#else
	(void)fds;
	return result(ENOSYS);
#endif
}
