/*
 * manyfds serve CONNECTIONS    echoes on so many connections at once, by poll, until the first of
 * them ends
 * manyfds drive PORT CONNECTIONS ACTIVE ROUNDS    talks on ACTIVE of them, while the others are
 * silent, once its input has a line or an end
 * manyfds grow SOCKETS    polls a set that grows by one socket each time
 */
#include "bench.h"
#include <poll.h>

enum { MOST = 4000 };

static char buf[64];

static void serve(int count)
{
	static struct pollfd fds[MOST];
	int listener = open_listener();
	for (int i = 0; i < count; i++) {
		fds[i] = (struct pollfd){.fd = accept_one(listener), .events = POLLIN};
		set_nodelay(fds[i].fd);
	}
	int64_t events = 0, start = now();
	for (;;) {
		int ready = poll(fds, (nfds_t)count, -1);
		if (ready < 0)
			fail("poll");
		for (int i = 0; ready > 0; i++) {
			if (fds[i].revents == 0)
				continue;
			ready--;
			ssize_t n = recv(fds[i].fd, buf, sizeof buf, 0);
			if (n < 0)
				fail("recv");
			if (n == 0) {
				print_result(events, start);
				return;
			}
			send_all(fds[i].fd, buf, (size_t)n);
			events++;
		}
	}
}

static void drive(const char *port, int count, int active, int64_t rounds)
{
	static int fds[MOST];
	for (int i = 0; i < count; i++) {
		fds[i] = open_connected(SOCK_STREAM, port);
		set_nodelay(fds[i]);
	}
	int step = count / active;
	printf("connected %d\n", count);
	fflush(stdout);
	getchar();
	int64_t start = now();
	for (int64_t r = 0; r < rounds; r++) {
		for (int i = 0; i < active; i++)
			send_all(fds[i * step], buf, sizeof buf);
		for (int i = 0; i < active; i++)
			recv_all(fds[i * step], buf, sizeof buf);
	}
	print_result(rounds * active, start);
}

static void grow(int count)
{
	static struct pollfd fds[MOST];
	for (int i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = open_bound(SOCK_DGRAM, 0), .events = POLLIN};
	int64_t start = now();
	for (int i = 1; i <= count; i++)
		if (poll(fds, (nfds_t)i, 0) != 0)
			fail("poll");
	print_result(count, start);
}

int main(int argc, char **argv)
{
	if (argc == 3 && equals(argv[1], "serve") && atoi(argv[2]) <= MOST)
		serve(atoi(argv[2]));
	else if (argc == 6 && equals(argv[1], "drive") && atoi(argv[3]) <= MOST)
		drive(argv[2], atoi(argv[3]), atoi(argv[4]), atoll(argv[5]));
	else if (argc == 3 && equals(argv[1], "grow") && atoi(argv[2]) <= MOST)
		grow(atoi(argv[2]));
	else
		usage("manyfds serve CONNECTIONS | drive PORT CONNECTIONS ACTIVE ROUNDS | "
		      "grow SOCKETS");
	return 0;
}
