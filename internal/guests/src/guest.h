/* Functions that the test guests share. The guests print lines for their tests on stdout, and exit
 * with 0 or 1. */
#ifndef GUEST_H
#define GUEST_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Returns the name of an errno. Guests always print it together with the number. */
static inline const char *errno_name(int err)
{
	switch (err) {
	case 0:
		return "OK";
#define NAME(e) \
	case e: \
		return #e;
		NAME(EACCES)
		NAME(EADDRINUSE)
		NAME(EADDRNOTAVAIL)
		NAME(EAFNOSUPPORT)
		NAME(EAGAIN)
		NAME(EALREADY)
		NAME(EBADF)
		NAME(ECONNABORTED)
		NAME(ECONNREFUSED)
		NAME(ECONNRESET)
		NAME(EDESTADDRREQ)
		NAME(EEXIST)
		NAME(EFAULT)
		NAME(EHOSTUNREACH)
		NAME(EINPROGRESS)
		NAME(EINVAL)
		NAME(EIO)
		NAME(EISCONN)
		NAME(EISDIR)
		NAME(ELOOP)
		NAME(EMFILE)
		NAME(EMSGSIZE)
		NAME(ENAMETOOLONG)
		NAME(ENETUNREACH)
		NAME(ENOENT)
		NAME(ENOPROTOOPT)
		NAME(ENOSYS)
		NAME(ENOTCAPABLE)
		NAME(ENOTCONN)
		NAME(ENOTDIR)
		NAME(ENOTEMPTY)
		NAME(ENOTSOCK)
		NAME(ENOTSUP)
		NAME(EPERM)
		NAME(EPIPE)
		NAME(EPROTONOSUPPORT)
		NAME(EROFS)
		NAME(ESPIPE)
		NAME(ETIMEDOUT)
		NAME(EXDEV)
#undef NAME
	}
	return "?";
}

/* Prints the failed call with its errno, and exits. */
static inline _Noreturn void fail(const char *what)
{
	int err = errno;
	printf("FAIL %s errno=%d %s\n", what, err, errno_name(err));
	exit(1);
}

static inline void check(bool holds, const char *what)
{
	if (!holds) {
		printf("FAIL %s\n", what);
		exit(1);
	}
}

static inline _Noreturn void usage(const char *text)
{
	printf("usage: %s\n", text);
	exit(2);
}

/* Sets line buffering, so that tests get each line at once. */
static inline void set_line_buffering(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}

struct address {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage room;
	} u;
	socklen_t len;
};

/* Parses an address literal and a port. */
static inline struct address parse_address(const char *ip, const char *port)
{
	struct address a;
	memset(&a, 0, sizeof a);
	if (inet_pton(AF_INET, ip, &a.u.in.sin_addr) == 1) {
		a.u.in.sin_family = AF_INET;
		a.u.in.sin_port = htons((uint16_t)atoi(port));
		a.len = sizeof a.u.in;
	} else if (inet_pton(AF_INET6, ip, &a.u.in6.sin6_addr) == 1) {
		a.u.in6.sin6_family = AF_INET6;
		a.u.in6.sin6_port = htons((uint16_t)atoi(port));
		a.len = sizeof a.u.in6;
	} else {
		printf("FAIL not an address: %s\n", ip);
		exit(2);
	}
	return a;
}

/* The loopback address of the family that an argument names, "4" or "6". */
static inline struct address loopback_address(const char *family)
{
	return parse_address(strcmp(family, "6") == 0 ? "::1" : "127.0.0.1", "0");
}

/* Formats "ADDR PORT", in one of four buffers that calls use in turn. */
static inline const char *format_address(const struct address *a)
{
	static char texts[4][INET6_ADDRSTRLEN + 8];
	static int turn;
	char *text = texts[turn++ % 4], ip[INET6_ADDRSTRLEN] = "?";
	int port = 0;
	if (a->u.sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a->u.in.sin_addr, ip, sizeof ip);
		port = ntohs(a->u.in.sin_port);
	} else if (a->u.sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a->u.in6.sin6_addr, ip, sizeof ip);
		port = ntohs(a->u.in6.sin6_port);
	}
	sprintf(text, "%s %d", ip, port);
	return text;
}

static inline struct address local_address(int fd)
{
	struct address a = {.len = sizeof a.u};
	if (getsockname(fd, &a.u.sa, &a.len) != 0)
		fail("getsockname");
	return a;
}

/* Opens a socket and binds it to the address. */
static inline int open_bound(const struct address *a, int type)
{
	int fd = socket(a->u.sa.sa_family, type, 0);
	if (fd < 0)
		fail("socket");
	if (bind(fd, &a->u.sa, a->len) != 0)
		fail("bind");
	return fd;
}

static inline void print_listening(int fd)
{
	struct address a = local_address(fd);
	printf("listening %s\n", format_address(&a));
}

/* Opens a listener at the address, and prints it. */
static inline int open_listener(const struct address *a)
{
	int fd = open_bound(a, SOCK_STREAM);
	if (listen(fd, 1024) != 0)
		fail("listen");
	print_listening(fd);
	return fd;
}

/* Opens a stream socket and connects it to the address. */
static inline int open_connected(const struct address *a)
{
	int fd = socket(a->u.sa.sa_family, SOCK_STREAM, 0);
	if (fd < 0)
		fail("socket");
	if (connect(fd, &a->u.sa, a->len) != 0)
		fail("connect");
	return fd;
}

static inline void send_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, data, size, 0);
		if (n < 0)
			fail("send");
		data += n;
		size -= (size_t)n;
	}
}

static inline int64_t microseconds(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

#endif
