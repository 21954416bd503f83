/*
 * datagram send PORT SIZE COUNT    sends so many datagrams by sendto, as fast as it can
 * datagram recv SIZE               receives datagrams by recvfrom and counts them, until one of one
 * byte comes datagram flood PORT SIZE COUNT   sends, and then single bytes until nobody listens any
 * more
 */
#include "bench.h"

static char buf[65536];

static void send_many(const char *port, size_t size, int64_t count, int until_refused)
{
	struct sockaddr_in to = loopback_address(atoi(port));
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		fail("socket");
	int64_t start = now();
	for (int64_t i = 0; i < count; i++)
		if (sendto(fd, buf, size, 0, (struct sockaddr *)&to, sizeof to) != (ssize_t)size)
			fail("sendto");
	print_result(count, start);
	if (until_refused && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		while (send(fd, buf, 1, 0) == 1)
			usleep(200);
}

static void receive(size_t size)
{
	int fd = open_bound(SOCK_DGRAM, 0);
	int64_t count = 0, start = 0;
	print_port(fd);
	for (;; count++) {
		struct sockaddr_in from;
		socklen_t len = sizeof from;
		ssize_t n = recvfrom(fd, buf, size, 0, (struct sockaddr *)&from, &len);
		if (n < 0)
			fail("recvfrom");
		if (n == 1)
			break;
		if (count == 0)
			start = now();
	}
	print_result(count, start);
}

int main(int argc, char **argv)
{
	if (argc == 5 && equals(argv[1], "send")) {
		send_many(argv[2], (size_t)atoi(argv[3]), atoll(argv[4]), 0);
	} else if (argc == 5 && equals(argv[1], "flood")) {
		send_many(argv[2], (size_t)atoi(argv[3]), atoll(argv[4]), 1);
	} else if (argc == 3 && equals(argv[1], "recv")) {
		receive((size_t)atoi(argv[2]));
	} else {
		usage("datagram send PORT SIZE COUNT | recv SIZE | flood PORT SIZE COUNT");
	}
	return 0;
}
