/* Connections made without blocking, or refused, and their state on the way. */
#include "transcript.h"

static void print_events(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	MUST(poll(&p, 1, 10000));
	printf("poll:%s%s%s%s\n", p.revents & POLLIN ? " IN" : "", p.revents & POLLOUT ? " OUT" : "",
	    p.revents & POLLERR ? " ERR" : "", p.revents & POLLHUP ? " HUP" : "");
}

static void success(void)
{
	struct sockaddr_storage sa;
	socklen_t len = loopback(&sa, tcp_echo);
	int fd = open_socket(SOCK_STREAM | SOCK_NONBLOCK);

	TRY(connect(fd, (struct sockaddr *)&sa, len));
	print_events(fd, POLLOUT);
	printf("SO_ERROR %d\n", option(fd, SOL_SOCKET, SO_ERROR));
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	TRY(getpeername(fd, (struct sockaddr *)&sa, &len));
	TRY(send(fd, "x", 1, 0));
	await(fd, POLLIN);
	TRY(recv(fd, &sa, 1, 0));
	TRY(recv(fd, &sa, 1, 0));
	close(fd);
}

static void refusal(void)
{
	struct sockaddr_storage sa;
	socklen_t len = loopback(&sa, refused);
	char byte;
	int fd = open_socket(SOCK_STREAM | SOCK_NONBLOCK);

	TRY(connect(fd, (struct sockaddr *)&sa, len));
	print_events(fd, POLLOUT);
	printf("SO_ERROR %s\n", errno_name(option(fd, SOL_SOCKET, SO_ERROR)));
	printf("SO_ERROR %d\n", option(fd, SOL_SOCKET, SO_ERROR));
	TRY(getpeername(fd, (struct sockaddr *)&sa, &len));
	TRY(recv(fd, &byte, 1, 0));
	TRY(send(fd, &byte, 1, MSG_NOSIGNAL));
	close(fd);

	/* The first call that reports the pending error clears it. */
	fd = open_socket(SOCK_STREAM | SOCK_NONBLOCK);
	len = loopback(&sa, refused);
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	print_events(fd, POLLIN | POLLOUT);
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	printf("SO_ERROR %d\n", option(fd, SOL_SOCKET, SO_ERROR));
	close(fd);

	/* Once it has told of the refusal, a socket connects anew. */
	fd = open_socket(SOCK_STREAM | SOCK_NONBLOCK);
	for (int i = 0; i < 3; i++) {
		TRY(connect(fd, (struct sockaddr *)&sa, len));
		print_events(fd, POLLOUT);
		TRY(connect(fd, (struct sockaddr *)&sa, len));
	}
	TRY(connect(fd, (struct sockaddr *)&sa, loopback(&sa, tcp_echo)));
	print_events(fd, POLLOUT);
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	TRY(send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
	/* The same, if poll is not asked again. */
	fd = open_socket(SOCK_STREAM | SOCK_NONBLOCK);
	len = loopback(&sa, refused);
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	await(fd, POLLOUT);
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	close(fd);
	/* SO_ERROR has told of it. */
	fd = open_socket(SOCK_STREAM | SOCK_NONBLOCK);
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	await(fd, POLLOUT);
	printf("pending SO_ERROR %s\n", errno_name(option(fd, SOL_SOCKET, SO_ERROR)));
	tell("connect after SO_ERROR", connect(fd, (struct sockaddr *)&sa, len));
	tell("connect after SO_ERROR, again", connect(fd, (struct sockaddr *)&sa, len));
	close(fd);

	fd = open_socket(SOCK_STREAM | SOCK_NONBLOCK);
	len = loopback(&sa, refused);
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	print_events(fd, POLLOUT);
	TRY(recv(fd, &byte, 1, 0));
	TRY(recv(fd, &byte, 1, 0));
	close(fd);

	fd = open_socket(SOCK_STREAM | SOCK_NONBLOCK);
	len = loopback(&sa, refused);
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	print_events(fd, POLLOUT);
	TRY(send(fd, &byte, 1, MSG_NOSIGNAL));
	TRY(send(fd, &byte, 1, MSG_NOSIGNAL));
	close(fd);

	fd = open_socket(SOCK_STREAM);
	len = loopback(&sa, refused);
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	printf("SO_ERROR %d\n", option(fd, SOL_SOCKET, SO_ERROR));
	TRY(getpeername(fd, (struct sockaddr *)&sa, &len));

	/* A socket that was refused may connect again. */
	len = loopback(&sa, tcp_echo);
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	TRY(send(fd, "x", 1, 0));
	TRY(recv(fd, &byte, 1, 0));
	close(fd);
}

static void by_select(unsigned short port)
{
	struct sockaddr_storage sa;
	struct timeval patience = {10, 0};
	fd_set reads, writes;
	int fd = open_socket(SOCK_STREAM | SOCK_NONBLOCK);

	TRY(connect(fd, (struct sockaddr *)&sa, loopback(&sa, port)));
	FD_ZERO(&reads);
	FD_ZERO(&writes);
	FD_SET(fd, &reads);
	FD_SET(fd, &writes);
	TRY(select(fd + 1, &reads, &writes, NULL, &patience));
	printf("readable %d, writable %d\n", FD_ISSET(fd, &reads) != 0, FD_ISSET(fd, &writes) != 0);
	printf("SO_ERROR %s\n",
	    port == refused ? errno_name(option(fd, SOL_SOCKET, SO_ERROR)) : "not asked");
	close(fd);
}

static void datagrams(void)
{
	struct sockaddr_storage sa;
	int fd = open_socket(SOCK_DGRAM | SOCK_NONBLOCK);

	TRY(connect(fd, (struct sockaddr *)&sa, loopback(&sa, udp_echo)));
	printf("SO_ERROR %d\n", option(fd, SOL_SOCKET, SO_ERROR));
	close(fd);
}

/* Bound before, as by clients that need a certain source address. */
static void bound_first(void)
{
	struct sockaddr_storage sa, own;
	socklen_t len, own_len = sizeof own;
	int fd = bound(SOCK_STREAM, &sa, &len);

	TRY(connect(fd, (struct sockaddr *)&own, loopback(&own, tcp_echo)));
	TRY(getsockname(fd, (struct sockaddr *)&own, &own_len));
	printf("%s\n", memcmp(&sa, &own, len) == 0 ? "the port that was bound" : "another port");
	close(fd);
}

static void transcript(void)
{
	success();
	refusal();
	by_select(tcp_echo);
	by_select(refused);
	datagrams();
	bound_first();
}
