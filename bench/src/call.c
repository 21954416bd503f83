/* call COUNT: gets a socket's receive time-out, which the host of a guest knows without a system
 * call. */
#include "bench.h"
#include <sys/time.h>

#ifdef __wasm__
__attribute__((import_module("wasi_snapshot_preview1"), import_name("sock_get_recv_timeout")))
int sock_get_recv_timeout(int fd, uint64_t *microseconds);

static int ask(int fd)
{
	uint64_t microseconds;
	return sock_get_recv_timeout(fd, &microseconds);
}
#else
static int ask(int fd)
{
	struct timeval tv;
	socklen_t len = sizeof tv;
	return getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &len);
}
#endif

int main(int argc, char **argv)
{
	if (argc != 2)
		usage("call COUNT");
	int fd = open_bound(SOCK_DGRAM, 0);
	int64_t count = atoll(argv[1]), start = now();
	for (int64_t i = 0; i < count; i++)
		if (ask(fd) != 0)
			fail("receive time-out");
	print_result(count, start);
	return 0;
}
