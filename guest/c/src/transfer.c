#include "control.h"

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

/* Has a stream send to an address that could not be encoded, which is the error of a datagram only:
 * a stream of TCP ignores every address, and the host refuses every one for a stream of AF_UNIX. */
static int32_t stream_address(int fd, int32_t err, wasport_addr *addr)
{
	int type;
	int32_t failed = __wasport_socktype(fd, &type);
	if (failed != 0)
		return failed;
	if (type != SOCK_STREAM)
		return err;
	memset(addr, 0, sizeof *addr);
	addr->kind = WASPORT_INET4;
	return 0;
}

/* control may be NULL. */
static ssize_t send_message(int fd, const struct iovec *iov, int count, int flags,
    const struct sockaddr *sa, socklen_t len, const wasport_control *control)
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
			err = stream_address(fd, err, &addr);
		if (err != 0)
			return result(err);
		to = &addr;
	}
#if WASPORT_EXT
	if (control != NULL)
		err = wasport_sock_send_control(fd, list, (uint32_t)count,
		    flags & MSG_DONTWAIT ? WASPORT_DONTWAIT : 0, to, &n, control);
	else
#else
	(void)control; /* WAMR has no function for it */
#endif
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
	return send_message(fd, &iov, 1, flags, NULL, 0, NULL);
}

ssize_t sendto(
    int fd, const void *buf, size_t size, int flags, const struct sockaddr *sa, socklen_t len)
{
	struct iovec iov = {(void *)buf, size};
	return send_message(fd, &iov, 1, flags, sa, len, NULL);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	wasport_control control, *given = NULL;
	int32_t err = EOPNOTSUPP;

	if (msg == NULL)
		return result(EFAULT);
	if (msg->msg_control != NULL && msg->msg_controllen != 0) {
#if WASPORT_EXT
		err = __wasport_encode_control(msg, &control);
#endif
		if (err != 0)
			return result(err);
		given = &control;
	}
	return send_message(
	    fd, msg->msg_iov, msg->msg_iovlen, flags, msg->msg_name, msg->msg_namelen, given);
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

/* What a receiver asks besides the bytes. */
struct told {
	wasport_addr from;
	uint32_t ro_flags;
	bool message; /* it is recvmsg, which also asks for truncation and control data */
	wasport_control control;
};

/* Receives one message by an import that supports the flags. t may be NULL. */
static int32_t receive(int fd, const wasport_iovec *list, uint32_t count, uint32_t flags,
    uint32_t *n, struct told *t)
{
	uint16_t short_flags = 0;
#if WASPORT_EXT
	if (t != NULL && t->message)
		return wasport_sock_recv_control(
		    fd, list, count, flags, &t->from, n, &t->ro_flags, &t->control);
	if (t != NULL)
		return wasport_sock_recv_msg(fd, list, count, flags, &t->from, n, &t->ro_flags);
	if (flags & WASPORT_DONTWAIT)
		return wasport_sock_recv_msg(fd, list, count, flags, NULL, n, NULL);
	return wasport_sock_recv(fd, list, count, flags, n, &short_flags);
#else
	bool was = true, ignored;
	int32_t err;

	if (flags & WASPORT_DONTWAIT && (err = __wasport_set_nonblock(fd, true, &was)) != 0)
		return err;
	flags &= ~(uint32_t)WASPORT_DONTWAIT;
	if (t != NULL)
		err = wasport_sock_recv_from(fd, list, count, flags, &t->from, n);
	else
		err = wasport_sock_recv(fd, list, count, flags, n, &short_flags);
	if (!was)
		__wasport_set_nonblock(fd, false, &ignored);
	return err;
#endif
}

/*
 * Receives with one more iovec at the end of the list, into which the rest of a datagram spills
 * that does not fit. *n is the length of the datagram, with the spilt bytes.
 */
static int32_t receive_spilling(int fd, const wasport_iovec *list, uint32_t count, uint32_t flags,
    size_t room, uint32_t *n, struct told *t)
{
	wasport_iovec *longer = malloc((count + 1) * sizeof *longer + room);
	int32_t err;

	if (longer == NULL)
		return ENOBUFS;
	memcpy(longer, list, count * sizeof *longer);
	longer[count] = (wasport_iovec){longer + count + 1, (uint32_t)room};
	err = receive(fd, longer, count + 1, flags, n, t);
	free(longer);
	return err;
}

/* t may be NULL. */
static ssize_t recv_message(int fd, const struct iovec *iov, int count, int flags, struct told *t)
{
	const wasport_iovec *list = (const wasport_iovec *)iov;
	uint32_t abi_flags = (uint32_t)flags & (WASPORT_PEEK | WASPORT_WAITALL), n = 0, wanted = 0;
	size_t spill = 0;
	int32_t err;
	int type = 0;

	_Static_assert(
	    MSG_PEEK == WASPORT_PEEK && MSG_WAITALL == WASPORT_WAITALL, "flags pass through");
	if (flags & ~(IGNORED_FLAGS | MSG_DONTWAIT | MSG_PEEK | MSG_WAITALL | MSG_TRUNC))
		return result(EOPNOTSUPP);
	if (count < 0 || count > MAX_IOVECS)
		return result(EMSGSIZE);
	if (flags & MSG_DONTWAIT)
		abi_flags |= WASPORT_DONTWAIT;
	if ((flags & MSG_TRUNC) || (!WASPORT_EXT && t != NULL)) {
		err = __wasport_socktype(fd, &type);
		if (err == 0 && type == SOCK_STREAM && (flags & MSG_TRUNC))
			err = EOPNOTSUPP;
		if (err != 0)
			return result(err);
		if (type == SOCK_DGRAM && (flags & MSG_TRUNC))
			spill = MAX_DATAGRAM;
		else if (type == SOCK_DGRAM && t->message)
			spill = 1;
	}
	if (spill == 0) {
		err = receive(fd, list, (uint32_t)count, abi_flags, &n, t);
	} else {
		for (int i = 0; i < count; i++)
			wanted += list[i].len;
		err = receive_spilling(fd, list, (uint32_t)count, abi_flags, spill, &n, t);
	}
	if (err != 0)
		return result(err);
	if (!WASPORT_EXT && t != NULL)
		t->ro_flags = type == SOCK_STREAM ? WASPORT_STREAMED : 0;
	if (spill != 0 && n > wanted) {
		if (t != NULL)
			t->ro_flags |= WASPORT_TRUNCATED;
		if (!(flags & MSG_TRUNC))
			n = wanted;
	}
	return (ssize_t)n;
}

/* A stream tells no sender (recvmsg(2)). */
static void put_sender(const struct told *t, struct sockaddr *sa, socklen_t *len)
{
	if (t->ro_flags & WASPORT_STREAMED)
		*len = 0;
	else
		__wasport_decode(&t->from, sa, len);
}

ssize_t recv(int fd, void *buf, size_t size, int flags)
{
	struct iovec iov = {buf, size};
	return recv_message(fd, &iov, 1, flags, NULL);
}

ssize_t recvfrom(int fd, void *restrict buf, size_t size, int flags, struct sockaddr *restrict sa,
    socklen_t *restrict len)
{
	struct iovec iov = {buf, size};
	struct told t;
	ssize_t n;

	if (sa == NULL)
		return recv_message(fd, &iov, 1, flags, NULL);
	if (len == NULL)
		return result(EFAULT);
	t.message = false;
	n = recv_message(fd, &iov, 1, flags, &t);
	if (n >= 0)
		put_sender(&t, sa, len);
	return n;
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct told t;
	ssize_t n;

	if (msg == NULL)
		return result(EFAULT);
	t.message = true;
	t.control.fields = 0;
	n = recv_message(fd, msg->msg_iov, msg->msg_iovlen, flags, &t);
	if (n < 0)
		return n;
	if (msg->msg_name != NULL)
		put_sender(&t, msg->msg_name, &msg->msg_namelen);
	msg->msg_flags = t.ro_flags & WASPORT_TRUNCATED ? MSG_TRUNC : 0;
	__wasport_decode_control(&t.control, msg);
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
