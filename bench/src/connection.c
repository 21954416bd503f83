/*
 * connection connect PORT COUNT    connects and closes
 * connection accept COUNT          accepts and closes
 * connection open PORT COUNT       the peer of accept, which waits for each to be closed
 */
#include "bench.h"

int main(int argc, char **argv)
{
	char byte;
	if (argc == 4 && (equals(argv[1], "connect") || equals(argv[1], "open"))) {
		int wait = equals(argv[1], "open");
		int64_t count = atoll(argv[3]), start = now();
		for (int64_t i = 0; i < count; i++) {
			int fd = open_connected(SOCK_STREAM, argv[2]);
			if (wait && recv(fd, &byte, 1, 0) < 0)
				fail("recv");
			close(fd);
		}
		print_result(count, start);
	} else if (argc == 3 && equals(argv[1], "accept")) {
		int listener = open_listener();
		int64_t count = atoll(argv[2]), start = 0;
		for (int64_t i = 0; i < count; i++) {
			int fd = accept_one(listener);
			if (i == 0)
				start = now();
			close(fd);
		}
		print_result(count, start);
	} else {
		usage("connection connect PORT COUNT | accept COUNT | open PORT COUNT");
	}
	return 0;
}
