/* Streams: connecting, the names of both ends, all ways of sending and receiving, accepting, and
 * losing the peer. */
#include "transcript.h"

static void names(void)
{
	struct sockaddr_storage sa, small;
	socklen_t len = sizeof sa;
	int fd = open_socket(SOCK_STREAM);

	TRY(getsockname(fd, (struct sockaddr *)&sa, &len));
	print_addr("unbound", &sa, len);
	TRY(getpeername(fd, (struct sockaddr *)&sa, &len));
	TRY(send(fd, "x", 1, MSG_NOSIGNAL));
	TRY(recv(fd, &sa, 1, 0));
	TRY(connect(fd, (struct sockaddr *)&sa, loopback(&sa, tcp_echo)));
	TRY(connect(fd, (struct sockaddr *)&sa, loopback(&sa, tcp_echo)));
	len = sizeof sa;
	TRY(getsockname(fd, (struct sockaddr *)&sa, &len));
	print_addr("own", &sa, len);
	len = sizeof sa;
	TRY(getpeername(fd, (struct sockaddr *)&sa, &len));
	print_addr("peer", &sa, len);

	/* An address that does not fit is truncated, and its full length is returned (accept(2)). */
	memset(&small, 0x55, sizeof small);
	len = 4;
	TRY(getpeername(fd, (struct sockaddr *)&small, &len));
	printf("length %s, beginning %s, rest %s\n",
	    len == sizeof(struct sockaddr_in) || len == sizeof(struct sockaddr_in6) ? "whole" : "cut",
	    memcmp(&small, &sa, 4) == 0 ? "written" : "other",
	    ((char *)&small)[4] == 0x55 ? "untouched" : "written");
	len = 0;
	TRY(getsockname(fd, (struct sockaddr *)&small, &len));
	TRY(bind(fd, (struct sockaddr *)&sa, loopback(&sa, 0)));
	TRY(listen(fd, 1));
	close(fd);
}

/* A stream tells no sender (recvmsg(2)). */
static void senders(void)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	char bytes[4] = "";
	struct iovec iov = {bytes, 1};
	struct msghdr msg = {.msg_name = &sa, .msg_namelen = sizeof sa, .msg_iov = &iov,
	    .msg_iovlen = 1};
	int fd = connect_to(SOCK_STREAM, tcp_echo);

	memset(&sa, 0x55, sizeof sa);
	MUST(send(fd, "abc", 3, MSG_NOSIGNAL));
	TRY(recvfrom(fd, bytes, 1, 0, (struct sockaddr *)&sa, &len));
	printf("length %d\n", (int)len);
	len = 3;
	TRY(recvfrom(fd, bytes, 1, MSG_PEEK, (struct sockaddr *)&sa, &len));
	printf("length %d\n", (int)len);
	TRY(recvmsg(fd, &msg, 0));
	printf("length %d, flags %d, address %s\n", (int)msg.msg_namelen, msg.msg_flags,
	    *(char *)&sa == 0x55 ? "untouched" : "written");
	sa.ss_family = AF_UNIX; /* a stream sends to its peer, whatever the address */
	TRY(sendto(fd, "", 0, MSG_NOSIGNAL, (struct sockaddr *)&sa, sizeof sa));
	TRY(sendto(fd, "", 0, MSG_NOSIGNAL, (struct sockaddr *)&sa, 1));
	close(fd);
}

static void transfers(void)
{
	char a[8] = "", b[8] = "", big[64];
	struct iovec two[2] = {{a, 3}, {b, 4}}, out[3] = {{"abc", 3}, {"", 0}, {"defg", 4}};
	struct msghdr msg = {.msg_iov = out, .msg_iovlen = 3};
	struct sockaddr_storage sa;
	int fd = connect_to(SOCK_STREAM, tcp_echo);

	TRY(send(fd, "", 0, 0));
	TRY(write(fd, "", 0));
	TRY(send(fd, "hello", 5, MSG_NOSIGNAL));
	TRY(recv(fd, big, 5, MSG_WAITALL));
	printf("%.5s\n", big);
	TRY(write(fd, "world", 5));
	await(fd, POLLIN);
	TRY(recv(fd, big, 2, MSG_PEEK));
	TRY(recv(fd, big, 2, MSG_PEEK | MSG_DONTWAIT));
	TRY(recv(fd, big, 5, MSG_WAITALL));
	printf("%.5s\n", big);
	TRY(recv(fd, big, 5, MSG_DONTWAIT));

	TRY(writev(fd, out, 3));
	TRY(recv(fd, big, 7, MSG_WAITALL | MSG_PEEK));
	TRY(readv(fd, two, 2));
	printf("%s %s\n", a, b);
	TRY(sendmsg(fd, &msg, 0));
	TRY(recv(fd, big, 7, MSG_WAITALL | MSG_PEEK));
	memset(a, 0, sizeof a);
	memset(b, 0, sizeof b);
	msg = (struct msghdr){.msg_iov = two, .msg_iovlen = 2};
	TRY(recvmsg(fd, &msg, 0));
	printf("%s %s, flags %d, control %d\n", a, b, msg.msg_flags, (int)msg.msg_controllen);

	/* A stream ignores a destination address, and returns no sender. */
	TRY(sendto(fd, "to", 2, 0, (struct sockaddr *)&sa, loopback(&sa, refused)));
	TRY(recv(fd, big, 2, MSG_WAITALL));
	TRY(send(fd, "z", 1, MSG_DONTWAIT | MSG_MORE));
	TRY(read(fd, big, 1));
	close(fd);
}

static void accepting(void)
{
	struct sockaddr_storage sa, peer;
	socklen_t len, peer_len = sizeof peer;
	int listener = bound(SOCK_STREAM, &sa, &len), client, server;

	TRY(accept(listener, NULL, NULL));
	TRY(listen(listener, 5));
	TRY(listen(listener, 3));
	set_nonblocking(listener);
	TRY(accept(listener, NULL, NULL));
	client = open_socket(SOCK_STREAM);
	TRY(connect(client, (struct sockaddr *)&sa, len));
	await(listener, POLLIN);
	TRY(accept4(listener, NULL, NULL, 1));
	server = (int)MUST(
	    accept4(listener, (struct sockaddr *)&peer, &peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC));
	print_addr("accepted", &peer, peer_len);
	peer_len = sizeof peer;
	MUST(getsockname(client, (struct sockaddr *)&sa, &len));
	printf("the peer is %s\n", memcmp(&sa, &peer, len) == 0 ? "the client" : "another");
	printf("non-blocking: %d\n", (fcntl(server, F_GETFL) & O_NONBLOCK) != 0);
	TRY(recv(server, &peer, 1, 0));
	TRY(send(client, "x", 1, 0));
	await(server, POLLIN);
	TRY(recv(server, &peer, 1, 0));
	TRY(close(client));
	await(server, POLLIN);
	TRY(recv(server, &peer, 1, 0));
	TRY(close(server));
	TRY(close(server));
	TRY(close(listener));

	/* accept returns a blocking descriptor, also if the listener is non-blocking (accept(2)). */
	listener = bound(SOCK_STREAM, &sa, &len);
	MUST(listen(listener, 1));
	set_nonblocking(listener);
	client = open_socket(SOCK_STREAM | SOCK_NONBLOCK);
	printf("non-blocking from the start: %d\n", (fcntl(client, F_GETFL) & O_NONBLOCK) != 0);
	TRY(connect(client, (struct sockaddr *)&sa, len));
	await(listener, POLLIN);
	server = (int)MUST(accept(listener, NULL, NULL));
	printf("inherited: %d\n", (fcntl(server, F_GETFL) & O_NONBLOCK) != 0);
	close(server);
	close(client);
	close(listener);
}

static void lost(void)
{
	struct linger hard = {1, 0};
	char byte;
	int fds[2];

	pair(fds);
	MUST(setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard));
	MUST(close(fds[1]));
	await(fds[0], POLLIN);
	TRY(recv(fds[0], &byte, 1, 0));
	TRY(recv(fds[0], &byte, 1, 0));
	TRY(send(fds[0], &byte, 1, MSG_NOSIGNAL));
	TRY(close(fds[0]));

	pair(fds);
	MUST(setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard));
	MUST(close(fds[1]));
	await(fds[0], POLLIN);
	TRY(send(fds[0], &byte, 1, MSG_NOSIGNAL));
	TRY(send(fds[0], &byte, 1, MSG_NOSIGNAL));
	TRY(close(fds[0]));

	/* Unread data makes close send a reset (RFC 2525, section 2.17). */
	pair(fds);
	TRY(send(fds[0], "unread", 6, 0));
	await(fds[1], POLLIN);
	TRY(close(fds[1]));
	await(fds[0], POLLIN);
	printf("pending: %s\n", errno_name(option(fds[0], SOL_SOCKET, SO_ERROR)));
	printf("pending: %d\n", option(fds[0], SOL_SOCKET, SO_ERROR));
	TRY(recv(fds[0], &byte, 1, 0));
	TRY(close(fds[0]));
}

static void transcript(void)
{
	names();
	senders();
	transfers();
	accepting();
	lost();
}
