/*
 * pingpong client tcp|udp PORT ROUNDS    sends 64 bytes and waits for their return
 * pingpong server tcp|udp                returns them until an empty message or the end comes
 */
#include "bench.h"

static char buf[64];

static void serve_stream(void)
{
	int listener = open_listener();
	int fd = accept_one(listener);
	int64_t rounds = 0, start = now();
	close(listener); /* ten thousand of these programs may run at once */
	set_nodelay(fd);
	while (recv_all(fd, buf, sizeof buf)) {
		send_all(fd, buf, sizeof buf);
		rounds++;
	}
	print_result(rounds, start);
}

static void serve_datagrams(void)
{
	int fd = open_bound(SOCK_DGRAM, 0);
	int64_t rounds = 0, start = 0;
	print_port(fd);
	for (;; rounds++) {
		struct sockaddr_in peer;
		socklen_t len = sizeof peer;
		ssize_t n = recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&peer, &len);
		if (n < 0)
			fail("recvfrom");
		if (n == 0)
			break;
		if (rounds == 0)
			start = now();
		if (sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&peer, len) != n)
			fail("sendto");
	}
	print_result(rounds, start);
}

static void ask(int datagrams, const char *port, int64_t rounds)
{
	int fd = open_connected(datagrams ? SOCK_DGRAM : SOCK_STREAM, port);
	if (!datagrams)
		set_nodelay(fd);
	int64_t start = now();
	for (int64_t i = 0; i < rounds; i++) {
		send_all(fd, buf, sizeof buf);
		if (!recv_all(fd, buf, sizeof buf))
			fail("the server has gone");
	}
	print_result(rounds, start);
	if (datagrams)
		send(fd, buf, 0, 0);
}

int main(int argc, char **argv)
{
	int datagrams = argc > 2 && equals(argv[2], "udp");
	if (argc == 5 && equals(argv[1], "client"))
		ask(datagrams, argv[3], atoll(argv[4]));
	else if (argc == 3 && equals(argv[1], "server"))
		datagrams ? serve_datagrams() : serve_stream();
	else
		usage("pingpong client tcp|udp PORT ROUNDS | server tcp|udp");
	return 0;
}
