/* poll and ppoll: every state of a socket, and other descriptors. */
#include "transcript.h"

static int ask(const char *what, int fd, short events, int timeout)
{
	struct pollfd p = {.fd = fd, .events = events, .revents = 0x7fff};

	int ready = (int)MUST(poll(&p, 1, timeout));

	printf("%s: %d", what, ready);
	printf("%s%s%s%s%s%s\n", p.revents & POLLIN ? " IN" : "", p.revents & POLLOUT ? " OUT" : "",
	    p.revents & POLLERR ? " ERR" : "", p.revents & POLLHUP ? " HUP" : "",
	    p.revents & POLLNVAL ? " NVAL" : "", p.revents & POLLPRI ? " PRI" : "");
	return ready;
}

static void streams(void)
{
	struct sockaddr_storage sa;
	socklen_t len;
	struct linger hard = {1, 0};
	int fds[2], listener, client;
	char byte;

	pair(fds);
	ask("idle", fds[0], POLLIN, 0);
	ask("idle", fds[0], POLLIN | POLLOUT, 0);
	ask("idle, nothing asked", fds[0], 0, 0);
	ask("idle, a while", fds[0], POLLIN | POLLPRI, 5);
	MUST(send(fds[1], "ab", 2, 0));
	ask("data", fds[0], POLLIN, -1);
	ask("data", fds[0], POLLIN | POLLOUT, -1);
	MUST(recv(fds[0], &byte, 1, 0));
	ask("still data", fds[0], POLLIN, 1000);
	MUST(recv(fds[0], &byte, 1, 0));
	ask("no data", fds[0], POLLIN, 0);
	MUST(shutdown(fds[1], SHUT_WR));
	ask("the peer has finished", fds[0], POLLIN, 1000);
	ask("the peer has finished", fds[0], POLLIN | POLLOUT, 1000);
	ask("finished oneself", fds[1], POLLOUT, 0);
	MUST(shutdown(fds[0], SHUT_WR));
	ask("both have finished", fds[0], POLLIN, 1000);
	ask("both have finished", fds[0], POLLIN | POLLOUT, 1000);
	close(fds[0]);
	close(fds[1]);

	pair(fds);
	MUST(setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard));
	MUST(close(fds[1]));
	ask("reset", fds[0], POLLIN, 1000);
	ask("reset", fds[0], POLLIN | POLLOUT, 1000);
	TRY(recv(fds[0], &byte, 1, 0));
	ask("reset, and told", fds[0], POLLIN, 1000);
	close(fds[0]);

	listener = bound(SOCK_STREAM, &sa, &len);
	MUST(listen(listener, 1));
	ask("nobody comes", listener, POLLIN, 0);
	client = open_socket(SOCK_STREAM);
	MUST(connect(client, (struct sockaddr *)&sa, len));
	ask("somebody comes", listener, POLLIN, 1000);
	close(client);
	close(listener);
}

/* POLLERR, POLLHUP and POLLNVAL are reported without being asked for (poll(2)). */
static void unasked(void)
{
	static const short nothing[] = {0, POLLPRI};
	struct linger hard = {1, 0};
	struct sockaddr_storage sa;
	struct pollfd list[3];
	socklen_t len;
	char byte;

	for (int i = 0; i < 2; i++) {
		int fds[2], fd = open_socket(SOCK_STREAM);
		if (ask("nothing asked, not connected", fd, nothing[i], 0) == 0)
			return; /* needs one of wasport's own imports */
		ask("nothing asked, not connected", fd, nothing[i], 1000);
		set_nonblocking(fd);
		connect(fd, (struct sockaddr *)&sa, loopback(&sa, refused));
		ask("nothing asked, refused", fd, nothing[i], 1000);
		ask("nothing asked, refused", fd, nothing[i], 1000);
		printf("nothing asked, pending: %s\n", errno_name(option(fd, SOL_SOCKET, SO_ERROR)));
		ask("nothing asked, refused and told", fd, nothing[i], 1000);
		close(fd);

		pair(fds);
		ask("nothing asked, idle", fds[0], nothing[i], 5);
		MUST(send(fds[1], "a", 1, 0));
		ask("nothing asked, data", fds[0], nothing[i], 5);
		MUST(recv(fds[0], &byte, 1, 0));
		MUST(shutdown(fds[1], SHUT_WR));
		ask("nothing asked, the peer has finished", fds[0], nothing[i], 5);
		MUST(shutdown(fds[0], SHUT_WR));
		ask("nothing asked, both have finished", fds[0], nothing[i], 1000);
		close(fds[0]);
		close(fds[1]);

		pair(fds);
		MUST(setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard));
		MUST(close(fds[1]));
		ask("nothing asked, reset", fds[0], nothing[i], 1000);
		tell("nothing asked, recv", recv(fds[0], &byte, 1, 0));
		ask("nothing asked, reset and told", fds[0], nothing[i], 1000);
		close(fds[0]);

		fd = bound(SOCK_STREAM, &sa, &len);
		MUST(listen(fd, 1));
		ask("nothing asked, nobody comes", fd, nothing[i], 5);
		close(fd);

		fd = connect_to(SOCK_DGRAM, refused);
		ask("nothing asked, datagrams", fd, nothing[i], 5);
		MUST(send(fd, "x", 1, 0));
		ask("nothing asked, datagrams to nobody", fd, nothing[i], 1000);
		printf("nothing asked, pending: %s\n", errno_name(option(fd, SOL_SOCKET, SO_ERROR)));
		ask("nothing asked, datagrams to nobody, told", fd, nothing[i], 5);
		MUST(send(fd, "x", 1, 0));
		await(fd, POLLIN);
		list[0] = (struct pollfd){.fd = fd, .events = nothing[i]};
		list[1] = (struct pollfd){.fd = STDOUT_FILENO, .events = nothing[i]};
		list[2] = (struct pollfd){.fd = fd, .events = POLLOUT};
		printf("nothing asked, of three: %ld", MUST(poll(list, 3, 1000)));
		printf(" %d %d %d\n", list[0].revents == POLLERR, list[1].revents,
		    list[2].revents == (POLLOUT | POLLERR));
		close(fd);
	}
}

static void full(void)
{
	static char page[65536];
	int fds[2], small = 4096, error;
	struct pollfd p;
	ssize_t n;

	pair(fds);
	MUST(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
	set_nonblocking(fds[0]);
	/* A busy system moves data to the peer late, and then has room again. */
	p = (struct pollfd){.fd = fds[0], .events = POLLOUT};
	do {
		while ((n = send(fds[0], page, sizeof page, 0)) > 0)
			;
		error = errno;
	} while (poll(&p, 1, 200) == 1);
	errno = error;
	tell("send until full", n);
	ask("full", fds[0], POLLOUT, 0);
	ask("full", fds[0], POLLIN | POLLOUT, 5);
	while (recv(fds[1], page, sizeof page, MSG_DONTWAIT) > 0)
		;
	ask("drained", fds[0], POLLOUT, 10000);
	close(fds[0]);
	close(fds[1]);
}

static void datagrams(void)
{
	struct sockaddr_storage sa;
	socklen_t len;
	char buf[4];
	int fd = bound(SOCK_DGRAM, &sa, &len);

	ask("datagrams", fd, POLLIN | POLLOUT, 0);
	MUST(sendto(fd, "", 0, 0, (struct sockaddr *)&sa, len));
	ask("an empty datagram", fd, POLLIN, 1000);
	TRY(recv(fd, buf, sizeof buf, 0));
	ask("taken", fd, POLLIN, 0);
	close(fd);
}

static void several(void)
{
	struct pollfd list[40];
	struct timespec soon = {0, 1000000}, wrong = {0, 1000000000}, negative = {-1, 0};
	int fds[2];

	pair(fds);
	MUST(send(fds[1], "x", 1, 0));
	await(fds[0], POLLIN);
	for (int i = 0; i < 40; i++)
		list[i] = (struct pollfd){.fd = i % 4 == 0   ? fds[0]
		                                : i % 4 == 1 ? -1
		                                : i % 4 == 2 ? fds[1]
		                                             : 12345,
		    .events = POLLIN,
		    .revents = 99};
	TRY(poll(list, 40, -1));
	printf("%d %d %d %d\n", list[0].revents == POLLIN, list[1].revents, list[2].revents,
	    list[3].revents == POLLNVAL);
	printf("%d %d %d %d\n", list[36].revents == POLLIN, list[37].revents, list[38].revents,
	    list[39].revents == POLLNVAL);
	list[0].events = 0;
	TRY(poll(list, 4, 0));
	TRY(poll(list + 3, 1, 1000));
	TRY(poll(NULL, 0, 1));
	TRY(poll(list, UINT32_MAX, 0));
	list[0].fd = -1;
	TRY(poll(list, 1, 1));
	printf("ignored: %d\n", list[0].revents);
	list[0] = (struct pollfd){.fd = fds[0], .events = POLLIN};
	TRY(ppoll(list, 1, NULL, NULL));
	TRY(ppoll(list, 1, &soon, NULL));
	TRY(ppoll(list + 2, 1, &soon, NULL));
	TRY(ppoll(list, 1, &wrong, NULL));
	TRY(ppoll(list, 1, &negative, NULL));
	close(fds[0]);
	close(fds[1]);
	ask("closed", fds[0], POLLIN, 1000);
	ask("closed, nothing asked", fds[0], 0, 1000);
}

static void transcript(void)
{
	streams();
	unasked();
	full();
	datagrams();
	several();
}
