/*
 * stream send PORT BUFFER TOTAL    sends so many bytes in pieces of BUFFER, until the peer has read
 * them all stream recv PORT BUFFER          receives all that the peer sends stream sink their
 * peers, with buffers of 64 KiB stream source TOTAL
 */
#include "bench.h"

static char buf[65536];

static int64_t drain(int fd, size_t size)
{
	int64_t total = 0;
	ssize_t n;
	while ((n = recv(fd, buf, size, 0)) > 0)
		total += n;
	if (n < 0)
		fail("recv");
	return total;
}

static void pour(int fd, size_t size, int64_t total)
{
	for (int64_t left = total; left > 0; left -= (int64_t)size)
		send_all(fd, buf, size);
}

int main(int argc, char **argv)
{
	if (argc == 5 && equals(argv[1], "send")) {
		int fd = open_connected(SOCK_STREAM, argv[2]);
		int64_t total = atoll(argv[4]), start = now();
		pour(fd, (size_t)atoi(argv[3]), total);
		shutdown(fd, SHUT_WR);
		drain(fd, 1);
		print_result(total, start);
	} else if (argc == 4 && equals(argv[1], "recv")) {
		int fd = open_connected(SOCK_STREAM, argv[2]);
		int64_t start = now();
		print_result(drain(fd, (size_t)atoi(argv[3])), start);
	} else if (argc == 2 && equals(argv[1], "sink")) {
		drain(accept_one(open_listener()), sizeof buf);
	} else if (argc == 3 && equals(argv[1], "source")) {
		pour(accept_one(open_listener()), sizeof buf, atoll(argv[2]));
	} else {
		usage("stream send PORT BUFFER TOTAL | recv PORT BUFFER | sink | source TOTAL");
	}
	return 0;
}
