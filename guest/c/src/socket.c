#include "sock.h"

#include <string.h>
#include <unistd.h>

static int32_t open_socket(int domain, int32_t type, int32_t *fd)
{
#if WASPORT_EXT
	if (domain == AF_UNIX)
		return wasport_sock_unix_open(type, fd);
#endif
	return wasport_sock_open(-1, domain == AF_INET6 ? WASPORT_INET6 : WASPORT_INET4, type, fd);
}

int socket(int domain, int type, int protocol)
{
	int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	int32_t fd;
	bool was;

	if (domain != AF_INET && domain != AF_INET6 && !(WASPORT_EXT && domain == AF_UNIX))
		return result(EAFNOSUPPORT);
	if (kind < 0 || kind > SOCK_SEQPACKET || protocol < 0 || protocol > UINT8_MAX)
		return result(EINVAL);
	if (domain == AF_UNIX && (kind != SOCK_STREAM || (protocol != 0 && protocol != PF_UNIX)))
		return result(EPROTONOSUPPORT);
	switch (kind) {
	case SOCK_STREAM:
		if (domain == AF_UNIX)
			break;
		if (protocol != 0 && protocol != IPPROTO_TCP)
			return result(EPROTONOSUPPORT);
		break;
	case SOCK_DGRAM:
		if (protocol != 0 && protocol != IPPROTO_UDP)
			return result(EPROTONOSUPPORT);
		break;
	case SOCK_RAW:
		return result(EPERM); /* as for a program without CAP_NET_RAW (raw(7)) */
	default:
		return result(EPROTONOSUPPORT); /* in place of ESOCKTNOSUPPORT, which WASI lacks */
	}
	if (result(open_socket(domain, kind == SOCK_STREAM ? WASPORT_STREAM : WASPORT_DGRAM, &fd)) != 0)
		return -1;
	if ((type & SOCK_NONBLOCK) && result(__wasport_set_nonblock(fd, true, &was)) != 0) {
		close(fd);
		return -1;
	}
	__wasport_pending_forget(fd);
	return fd;
}

int bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	wasport_addr addr;
	int32_t err;

#if WASPORT_EXT
	if (is_unix(sa, len))
		return result(__wasport_unix_bind(fd, sa, len));
#endif
	err = __wasport_encode(sa, len, &addr);
	return result(err ? err : wasport_sock_bind(fd, &addr));
}

int listen(int fd, int backlog)
{
	return result(wasport_sock_listen(fd, backlog));
}

int connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	wasport_addr addr;
	int32_t err;

#if WASPORT_EXT
	if (sa != NULL && len >= sizeof sa->sa_family && sa->sa_family == AF_UNSPEC)
		return result(wasport_sock_disconnect(fd));
	if (is_unix(sa, len))
		return result(__wasport_unix_connect(fd, sa, len));
#endif
	err = __wasport_encode(sa, len, &addr);
	if (err == 0)
		err = wasport_sock_connect(fd, &addr);
	if (err == EINPROGRESS)
		__wasport_pending_start(fd, &addr);
	return result(err);
}

/* The host has no other address for a Unix-domain socket than 0.0.0.0:0. */
static void put_address(
    int fd, bool peer, const wasport_addr *addr, struct sockaddr *sa, socklen_t *len)
{
#if WASPORT_EXT
	static const wasport_addr unspecified = {.kind = WASPORT_INET4};
	if (memcmp(addr, &unspecified, sizeof unspecified) == 0 &&
	    __wasport_unix_address(fd, peer, sa, len))
		return;
#endif
	(void)fd, (void)peer;
	__wasport_decode(addr, sa, len);
}

int accept4(int fd, struct sockaddr *restrict sa, socklen_t *restrict len, int flags)
{
	wasport_addr addr;
	int32_t accepted;
	bool was;

	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return result(EINVAL);
	if (sa != NULL && len == NULL)
		return result(EFAULT);
	if (result(wasport_sock_accept(fd, flags & SOCK_NONBLOCK ? WASPORT_NONBLOCK : 0, &accepted)) !=
	    0)
		return -1;
	/* WAMR accepts the flag and ignores it. */
	if (!WASPORT_EXT && (flags & SOCK_NONBLOCK) &&
	    result(__wasport_set_nonblock(accepted, true, &was)) != 0) {
		close(accepted);
		return -1;
	}
	if (sa != NULL) {
		/* A connection that the peer has already closed has no peer address, but was accepted. */
		if (wasport_sock_addr_remote(accepted, &addr) == 0)
			put_address(accepted, true, &addr, sa, len);
		else
			*len = 0;
	}
	return accepted;
}

int accept(int fd, struct sockaddr *restrict sa, socklen_t *restrict len)
{
	return accept4(fd, sa, len, 0);
}

int shutdown(int fd, int how)
{
	if (how < SHUT_RD || how > SHUT_RDWR)
		return result(EINVAL);
	return result(wasport_sock_shutdown(fd, (uint32_t)how));
}

static int return_address(int fd, bool peer, int32_t err, const wasport_addr *addr,
    struct sockaddr *sa, socklen_t *len)
{
	if (err != 0)
		return result(err);
	if (sa == NULL || len == NULL)
		return result(EFAULT);
	put_address(fd, peer, addr, sa, len);
	return 0;
}

int getsockname(int fd, struct sockaddr *restrict sa, socklen_t *restrict len)
{
	wasport_addr addr;
	int32_t err = wasport_sock_addr_local(fd, &addr);
	return return_address(fd, false, err, &addr, sa, len);
}

int getpeername(int fd, struct sockaddr *restrict sa, socklen_t *restrict len)
{
	wasport_addr addr;
	int32_t err = wasport_sock_addr_remote(fd, &addr);
	return return_address(fd, true, err, &addr, sa, len);
}

/* The ABI has no urgent data, so the mark is never reached (sockatmark(3)). */
int sockatmark(int fd)
{
	int type;
	int32_t err = __wasport_socktype(fd, &type);
	return result(err == ENOTSOCK ? ENOTTY : err);
}
