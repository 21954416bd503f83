/*
 * What the programs share. Each of them is compiled for the machine and for wasport from the same
 * source, and prints a transcript of what the calls gave: their results, and errors by name, since
 * the numbers differ. A program that cannot do what it is for exits with 1.
 *
 * Arguments: FAMILY TCP UDP REFUSED: 4 or 6, and ports on that family's loopback address: of
 * servers that send back what they get, and one where nobody listens.
 */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#ifndef __wasi__
#include <signal.h>
#endif

static int family;
static unsigned short tcp_echo, udp_echo, refused;

static const char *errno_name(int e)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
#define E(name) {name, #name}
	    E(EACCES),
	    E(EADDRINUSE),
	    E(EADDRNOTAVAIL),
	    E(EAFNOSUPPORT),
	    E(EAGAIN),
	    E(EALREADY),
	    E(EBADF),
	    E(ECONNABORTED),
	    E(ECONNREFUSED),
	    E(ECONNRESET),
	    E(EDESTADDRREQ),
	    E(EDOM),
	    E(EEXIST),
	    E(EFAULT),
	    E(EINPROGRESS),
	    E(EINVAL),
	    E(EIO),
	    E(EISCONN),
	    E(ELOOP),
	    E(EMFILE),
	    E(EMSGSIZE),
	    E(ENAMETOOLONG),
	    E(ENETUNREACH),
	    E(ENOBUFS),
	    E(ENODEV),
	    E(ENOENT),
	    E(ENOMEM),
	    E(ENOSPC),
	    E(ENOPROTOOPT),
	    E(ENOTCONN),
	    E(ENOTDIR),
	    E(ENOTSOCK),
	    E(ENOTSUP),
	    E(ENOTTY),
	    E(ENXIO),
	    E(EPERM),
	    E(EPIPE),
	    E(EPROTO),
	    E(EPROTONOSUPPORT),
	    E(EPROTOTYPE),
	    E(ERANGE),
	    E(ESPIPE),
	    E(ETIMEDOUT),
#undef E
	};
	static char number[32];

#ifdef ESOCKTNOSUPPORT /* for which WASI has no number */
	if (e == ESOCKTNOSUPPORT)
		e = EPROTONOSUPPORT;
#endif
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == e)
			return names[i].name;
	snprintf(number, sizeof number, "errno %d", e);
	return number;
}

static inline long tell(const char *what, long result)
{
	if (result == -1)
		printf("%s = -1 %s\n", what, errno_name(errno));
	else
		printf("%s = %ld\n", what, result);
	return result;
}

/* Prints a call and its result. */
#define TRY(call) tell(#call, (errno = 0, (long)(call)))

static inline long must(const char *what, int line, long result)
{
	if (result == -1) {
		fprintf(stderr, "line %d: %s: %s\n", line, what, errno_name(errno));
		exit(1);
	}
	return result;
}

/* Makes a call that must succeed. */
#define MUST(call) must(#call, __LINE__, (long)(call))

static inline socklen_t loopback(struct sockaddr_storage *sa, unsigned short port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;

	memset(sa, 0, sizeof *sa);
	if (family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof *in;
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	in6->sin6_addr = in6addr_loopback;
	return sizeof *in6;
}

static inline unsigned short port_of(const struct sockaddr_storage *sa)
{
	return ntohs(((const struct sockaddr_in *)sa)->sin_port);
}

/* Prints the name of a port that was given as an argument; others differ from run to run. */
static inline const char *port_name(unsigned short port)
{
	return port == 0          ? "0"
	       : port == tcp_echo ? "TCP"
	       : port == udp_echo ? "UDP"
	       : port == refused  ? "REFUSED"
	                          : "some";
}

static inline void print_addr(const char *what, const struct sockaddr_storage *sa, socklen_t len)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (sa->ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr, text, sizeof text);
	else if (sa->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)sa)->sin6_addr, text, sizeof text);
	printf("%s: %s port %s, %s long\n", what, text, port_name(port_of(sa)),
		len == sizeof(struct sockaddr_in)    ? "sockaddr_in"
		: len == sizeof(struct sockaddr_in6) ? "sockaddr_in6"
											 : "oddly");
}

static inline int open_socket(int type)
{
	return (int)MUST(socket(family, type, 0));
}

/* Opens a socket connected to a server of the test. */
static inline int connect_to(int type, unsigned short port)
{
	struct sockaddr_storage sa;
	int fd = open_socket(type);

	MUST(connect(fd, (struct sockaddr *)&sa, loopback(&sa, port)));
	return fd;
}

/* Opens a socket bound to a free port, which is written to sa. */
static inline int bound(int type, struct sockaddr_storage *sa, socklen_t *len)
{
	int fd = open_socket(type);

	*len = loopback(sa, 0);
	MUST(bind(fd, (struct sockaddr *)sa, *len));
	MUST(getsockname(fd, (struct sockaddr *)sa, len));
	return fd;
}

/* Opens two sockets connected to each other. */
static inline void pair(int fds[2])
{
	struct sockaddr_storage sa;
	socklen_t len;
	int listener = bound(SOCK_STREAM, &sa, &len);

	MUST(listen(listener, 1));
	fds[0] = open_socket(SOCK_STREAM);
	MUST(connect(fds[0], (struct sockaddr *)&sa, len));
	fds[1] = (int)MUST(accept(listener, NULL, NULL));
	MUST(close(listener));
}

/* Waits until a descriptor has an event. */
static inline void await(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	if (MUST(poll(&p, 1, 10000)) == 0) {
		fprintf(stderr, "nothing happened\n");
		exit(1);
	}
}

static inline void set_nonblocking(int fd)
{
	MUST(fcntl(fd, F_SETFL, (int)MUST(fcntl(fd, F_GETFL)) | O_NONBLOCK));
}

static inline int option(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof value;

	MUST(getsockopt(fd, level, name, &value, &len));
	return value;
}

static void transcript(void);

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: %s FAMILY TCP UDP REFUSED\n", argv[0]);
		return 1;
	}
	family = strcmp(argv[1], "6") == 0 ? AF_INET6 : AF_INET;
	tcp_echo = (unsigned short)atoi(argv[2]);
	udp_echo = (unsigned short)atoi(argv[3]);
	refused = (unsigned short)atoi(argv[4]);
#ifndef __wasi__ /* WASI has no signals */
	signal(SIGPIPE, SIG_IGN);
#endif
	setvbuf(stdout, NULL, _IOLBF, 0); /* a program that is stopped has printed whole lines */
	transcript();
	return 0;
}

#endif
