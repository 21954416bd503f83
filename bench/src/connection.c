/*
 * connection connect PORT COUNT    connects and closes
 * connection accept COUNT          accepts and closes
 * connection open PORT COUNT       the peer of accept, which waits for each to be closed
 */
#include "bench.h"

int main(int argc, char **argv)
{
	char byte;
	if (argc == 4 && (is(argv[1], "connect") || is(argv[1], "open"))) {
		int wait = is(argv[1], "open");
		int64_t count = atoll(argv[3]), start = now();
		for (int64_t i = 0; i < count; i++) {
			int fd = connected(SOCK_STREAM, argv[2]);
			if (wait && recv(fd, &byte, 1, 0) < 0)
				fail("recv");
			close(fd);
		}
		result(count, start);
	} else if (argc == 3 && is(argv[1], "accept")) {
		int listener = listening();
		int64_t count = atoll(argv[2]), start = 0;
		for (int64_t i = 0; i < count; i++) {
			int fd = accepted(listener);
			if (i == 0)
				start = now();
			close(fd);
		}
		result(count, start);
	} else {
		usage("connection connect PORT COUNT | accept COUNT | open PORT COUNT");
	}
	return 0;
}
