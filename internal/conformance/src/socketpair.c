/* socketpair: streams and datagrams. */
#include "transcript.h"

static void ask(const char *what, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

	MUST(poll(&p, 1, 0));
	printf("%s:%s%s%s%s\n", what, p.revents & POLLIN ? " IN" : "",
	    p.revents & POLLOUT ? " OUT" : "", p.revents & POLLERR ? " ERR" : "",
	    p.revents & POLLHUP ? " HUP" : "");
}

static void sockets(int type, int fds[2])
{
	MUST(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, fds));
}

static void streams(void)
{
	struct sockaddr_in inet = {.sin_family = AF_INET};
	struct sockaddr named = {.sa_family = AF_UNIX};
	int fds[2], n = -1;
	char b[16];

	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	TRY(ftruncate(fds[0], 0));
	TRY(sendto(fds[0], "a", 1, 0, &named, sizeof named));
	TRY(sendto(fds[0], "a", 1, 0, (struct sockaddr *)&inet, sizeof inet));
	printf("stream: %d\n", option(fds[0], SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
	printf("blocking: %d\n", (fcntl(fds[0], F_GETFL) & O_NONBLOCK) == 0);
	printf("error: %d\n", option(fds[0], SOL_SOCKET, SO_ERROR));
	printf("buffer: %d\n", option(fds[0], SOL_SOCKET, SO_SNDBUF));
	TRY(send(fds[0], "abc", 3, 0));
	TRY(write(fds[0], "def", 3));
	MUST(ioctl(fds[1], FIONREAD, &n));
	printf("readable: %d\n", n);
	ask("data", fds[1]);
	TRY(recv(fds[1], b, 2, MSG_PEEK));
	TRY(recv(fds[1], b, 6, MSG_WAITALL));
	printf("got %.6s\n", b);
	TRY(recv(fds[1], b, 1, MSG_DONTWAIT));
	set_nonblocking(fds[1]);
	TRY(read(fds[1], b, 1));
	TRY(listen(fds[0], 1));
	TRY(accept(fds[0], NULL, NULL));

	TRY(send(fds[0], "end", 3, 0));
	TRY(shutdown(fds[0], SHUT_WR));
	ask("after the end", fds[1]);
	ask("its sender", fds[0]);
	TRY(send(fds[0], "a", 1, MSG_NOSIGNAL));
	TRY(recv(fds[1], b, sizeof b, 0));
	TRY(recv(fds[1], b, sizeof b, 0));
	TRY(send(fds[1], "back", 4, 0));
	TRY(recv(fds[0], b, sizeof b, 0));
	TRY(shutdown(fds[1], SHUT_WR));
	ask("both ended", fds[0]);
	MUST(close(fds[0]));
	MUST(close(fds[1]));

	sockets(SOCK_STREAM, fds);
	TRY(shutdown(fds[0], SHUT_RD));
	TRY(send(fds[1], "a", 1, MSG_NOSIGNAL));
	MUST(close(fds[1]));
	ask("peer closed", fds[0]);
	TRY(recv(fds[0], b, 1, 0));
	TRY(send(fds[0], "a", 1, MSG_NOSIGNAL));
	MUST(close(fds[0]));

	sockets(SOCK_STREAM, fds);
	MUST(send(fds[0], "unread", 6, 0));
	MUST(close(fds[1]));
	ask("peer closed with data", fds[0]);
	TRY(recv(fds[0], b, 1, 0));
	TRY(recv(fds[0], b, 1, 0));
	MUST(close(fds[0]));
}

static void full(int type, size_t size)
{
	static char data[3000];
	int fds[2], sent = 0, received = 0;
	ssize_t n;

	sockets(type, fds);
	ask("empty", fds[0]);
	while (send(fds[0], data, size, 0) > 0)
		sent++;
	printf("full: %s\n", errno_name(errno));
	ask("full, sender", fds[0]);
	ask("full, receiver", fds[1]);
	while ((n = recv(fds[1], data, size, 0)) > 0)
		received++;
	printf("empty: %s, %s\n", errno_name(errno), received >= sent ? "all" : "not all");
	ask("emptied", fds[0]);
	MUST(close(fds[0]));
	MUST(close(fds[1]));
}

static void datagrams(void)
{
	int fds[2], n = -1;
	char b[16];
	struct iovec iov = {b, 2};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	sockets(SOCK_DGRAM, fds);
	printf("datagrams: %d\n", option(fds[0], SOL_SOCKET, SO_TYPE) == SOCK_DGRAM);
	TRY(send(fds[0], "abc", 3, 0));
	TRY(send(fds[0], "", 0, 0));
	TRY(send(fds[0], "defg", 4, 0));
	MUST(ioctl(fds[1], FIONREAD, &n));
	printf("readable: %d\n", n);
	TRY(recv(fds[1], b, sizeof b, MSG_PEEK));
	TRY(recv(fds[1], b, sizeof b, 0));
	TRY(recv(fds[1], b, sizeof b, 0));
	TRY(recvmsg(fds[1], &m, 0));
	printf("truncated: %d\n", (m.msg_flags & MSG_TRUNC) != 0);
	TRY(recv(fds[1], b, sizeof b, 0));
	TRY(listen(fds[0], 1));
	TRY(shutdown(fds[0], SHUT_WR));
	TRY(send(fds[0], "a", 1, MSG_NOSIGNAL));
	ask("after the end", fds[1]);
	MUST(close(fds[0]));
	MUST(close(fds[1]));

	sockets(SOCK_DGRAM, fds);
	MUST(close(fds[1]));
	ask("peer closed", fds[0]);
	TRY(recv(fds[0], b, 1, 0));
	TRY(send(fds[0], "a", 1, MSG_NOSIGNAL));
	MUST(close(fds[0]));
}

static void transcript(void)
{
	int fds[2];

	streams();
	datagrams();
	full(SOCK_STREAM, 1000);
	full(SOCK_DGRAM, 3000);
	TRY(socketpair(family, SOCK_STREAM, 0, fds));
	TRY(socketpair(AF_UNIX, SOCK_RAW + 100, 0, fds) == -1);
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 77, fds));
}
