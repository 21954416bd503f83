#include "sock.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

_Static_assert(sizeof(struct iovec) == sizeof(wasport_iovec), "struct iovec is the ABI's iovec");
_Static_assert(offsetof(struct iovec, iov_len) == offsetof(wasport_iovec, len),
    "struct iovec is the ABI's iovec");

enum {
	MAX_IOVECS = 1024,
	MAX_DATAGRAM = 65536,
};

/* Flags without an effect here: there are no signals, no records and no neighbour table (send(2)).
 */
#define IGNORED_FLAGS \
	(MSG_NOSIGNAL | MSG_MORE | MSG_EOR | MSG_CONFIRM | MSG_CMSG_CLOEXEC | MSG_WAITFORONE)

static int32_t send_nonblocking(
    int fd, const wasport_iovec *list, uint32_t count, const wasport_addr *to, uint32_t *n)
{
#if WASPORT_EXT
	return wasport_sock_send_msg(fd, list, count, WASPORT_DONTWAIT, to, n);
#else
	bool was, ignored;
	int32_t err = __wasport_set_nonblock(fd, true, &was);
	if (err != 0)
		return err;
	err = to != NULL ? wasport_sock_send_to(fd, list, count, 0, to, n)
	                 : wasport_sock_send(fd, list, count, 0, n);
	__wasport_set_nonblock(fd, was, &ignored);
	return err;
#endif
}

static ssize_t send_message(
    int fd, const struct iovec *iov, int count, int flags, const struct sockaddr *sa, socklen_t len)
{
	const wasport_iovec *list = (const wasport_iovec *)iov;
	wasport_addr addr, *to = NULL;
	uint32_t n = 0;
	int32_t err = 0;

	if (flags & ~(IGNORED_FLAGS | MSG_DONTWAIT))
		return result(EOPNOTSUPP);
	if (count < 0 || count > MAX_IOVECS)
		return result(EMSGSIZE);
	if (sa != NULL) {
		err = __wasport_encode(sa, len, &addr);
		if (err != 0)
			return result(err);
		to = &addr;
	}
	if (flags & MSG_DONTWAIT)
		err = send_nonblocking(fd, list, (uint32_t)count, to, &n);
	else if (to != NULL)
		err = wasport_sock_send_to(fd, list, (uint32_t)count, 0, to, &n);
	else
		err = wasport_sock_send(fd, list, (uint32_t)count, 0, &n);
	return err != 0 ? result(err) : (ssize_t)n;
}

ssize_t send(int fd, const void *buf, size_t size, int flags)
{
	struct iovec iov = {(void *)buf, size};
	return send_message(fd, &iov, 1, flags, NULL, 0);
}

ssize_t sendto(
    int fd, const void *buf, size_t size, int flags, const struct sockaddr *sa, socklen_t len)
{
	struct iovec iov = {(void *)buf, size};
	return send_message(fd, &iov, 1, flags, sa, len);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (msg == NULL)
		return result(EFAULT);
	if (msg->msg_control != NULL && msg->msg_controllen != 0)
		return result(EOPNOTSUPP);
	return send_message(fd, msg->msg_iov, msg->msg_iovlen, flags, msg->msg_name, msg->msg_namelen);
}

int sendmmsg(int fd, struct mmsghdr *list, unsigned int count, unsigned int flags)
{
	unsigned int i;
	for (i = 0; i < count; i++) {
		ssize_t n = sendmsg(fd, &list[i].msg_hdr, (int)flags);
		if (n < 0)
			return i > 0 ? (int)i : -1;
		list[i].msg_len = (unsigned int)n;
	}
	return (int)i;
}

/* Receives one message by an import that supports the flags. from and ro_flags may be NULL. */
static int32_t receive(int fd, const wasport_iovec *list, uint32_t count, uint32_t flags,
    wasport_addr *from, uint32_t *n, uint32_t *ro_flags)
{
	uint16_t short_flags = 0;
	int32_t err;
#if WASPORT_EXT
	if ((flags & WASPORT_DONTWAIT) || (from != NULL && ro_flags != NULL))
		return wasport_sock_recv_msg(fd, list, count, flags, from, n, ro_flags);
#else
	bool was = true, ignored;
	if (flags & WASPORT_DONTWAIT && (err = __wasport_set_nonblock(fd, true, &was)) != 0)
		return err;
	flags &= ~(uint32_t)WASPORT_DONTWAIT;
#endif
	if (from != NULL)
		err = wasport_sock_recv_from(fd, list, count, flags, from, n);
	else
		err = wasport_sock_recv(fd, list, count, flags, n, &short_flags);
	if (ro_flags != NULL)
		*ro_flags = short_flags;
#if !WASPORT_EXT
	if (!was)
		__wasport_set_nonblock(fd, false, &ignored);
#endif
	return err;
}

/*
 * Receives with one more iovec at the end of the list, into which the rest of a datagram spills
 * that does not fit. *n is the length of the datagram, with the spilt bytes.
 */
static int32_t receive_spilling(int fd, const wasport_iovec *list, uint32_t count, uint32_t flags,
    size_t room, wasport_addr *from, uint32_t *n)
{
	wasport_iovec *longer = malloc((count + 1) * sizeof *longer + room);
	int32_t err;

	if (longer == NULL)
		return ENOBUFS;
	memcpy(longer, list, count * sizeof *longer);
	longer[count] = (wasport_iovec){longer + count + 1, (uint32_t)room};
	err = receive(fd, longer, count + 1, flags, from, n, NULL);
	free(longer);
	return err;
}

/* from and truncated may be NULL. */
static ssize_t recv_message(
    int fd, const struct iovec *iov, int count, int flags, wasport_addr *from, bool *truncated)
{
	const wasport_iovec *list = (const wasport_iovec *)iov;
	uint32_t abi_flags = (uint32_t)flags & (WASPORT_PEEK | WASPORT_WAITALL), n = 0, wanted = 0,
	         ro_flags = 0;
	size_t spill = 0;
	int32_t err;
	int type;

	_Static_assert(
	    MSG_PEEK == WASPORT_PEEK && MSG_WAITALL == WASPORT_WAITALL, "flags pass through");
	if (flags & ~(IGNORED_FLAGS | MSG_DONTWAIT | MSG_PEEK | MSG_WAITALL | MSG_TRUNC))
		return result(EOPNOTSUPP);
	if (count < 0 || count > MAX_IOVECS)
		return result(EMSGSIZE);
	if (flags & MSG_DONTWAIT)
		abi_flags |= WASPORT_DONTWAIT;
	if ((flags & MSG_TRUNC) || (!WASPORT_EXT && truncated != NULL)) {
		err = __wasport_socktype(fd, &type);
		if (err == 0 && type == SOCK_STREAM && (flags & MSG_TRUNC))
			err = EOPNOTSUPP;
		if (err != 0)
			return result(err);
		if (type == SOCK_DGRAM)
			spill = flags & MSG_TRUNC ? MAX_DATAGRAM : 1;
	}
	if (spill == 0) {
		err = receive(
		    fd, list, (uint32_t)count, abi_flags, from, &n, truncated != NULL ? &ro_flags : NULL);
	} else {
		for (int i = 0; i < count; i++)
			wanted += list[i].len;
		err = receive_spilling(fd, list, (uint32_t)count, abi_flags, spill, from, &n);
		if (n > wanted) {
			ro_flags = WASPORT_TRUNCATED;
			if (!(flags & MSG_TRUNC))
				n = wanted;
		}
	}
	if (err != 0)
		return result(err);
	if (truncated != NULL)
		*truncated = ro_flags & WASPORT_TRUNCATED;
	return (ssize_t)n;
}

ssize_t recv(int fd, void *buf, size_t size, int flags)
{
	struct iovec iov = {buf, size};
	return recv_message(fd, &iov, 1, flags, NULL, NULL);
}

ssize_t recvfrom(int fd, void *restrict buf, size_t size, int flags, struct sockaddr *restrict sa,
    socklen_t *restrict len)
{
	struct iovec iov = {buf, size};
	wasport_addr from;
	ssize_t n;

	if (sa == NULL)
		return recv_message(fd, &iov, 1, flags, NULL, NULL);
	if (len == NULL)
		return result(EFAULT);
	n = recv_message(fd, &iov, 1, flags, &from, NULL);
	if (n >= 0)
		__wasport_decode(&from, sa, len);
	return n;
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	wasport_addr from;
	bool truncated;
	ssize_t n;

	if (msg == NULL)
		return result(EFAULT);
	n = recv_message(
	    fd, msg->msg_iov, msg->msg_iovlen, flags, msg->msg_name != NULL ? &from : NULL, &truncated);
	if (n < 0)
		return n;
	if (msg->msg_name != NULL)
		__wasport_decode(&from, msg->msg_name, &msg->msg_namelen);
	msg->msg_controllen = 0;
	msg->msg_flags = truncated ? MSG_TRUNC : 0;
	return n;
}

int recvmmsg(
    int fd, struct mmsghdr *list, unsigned int count, unsigned int flags, struct timespec *timeout)
{
	unsigned int i;
	/* Linux checks the time-out only between messages, so a program cannot rely on it (recvmmsg(2),
	 * BUGS). */
	(void)timeout;
	for (i = 0; i < count; i++) {
		ssize_t n = recvmsg(fd, &list[i].msg_hdr, (int)flags);
		if (n < 0)
			return i > 0 ? (int)i : -1;
		list[i].msg_len = (unsigned int)n;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
	}
	return (int)i;
}
