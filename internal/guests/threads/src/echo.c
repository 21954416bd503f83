/* echo COUNT: a server with a thread for each connection, which sends back what it receives. It
 * ends after COUNT connections. Prints "listening 127.0.0.1 PORT" at the start, and at the end
 * "served COUNT, N at once". */
#include "guest.h"

static _Atomic int32_t now, most;

static void serve(void *argument)
{
	int fd = (intptr_t)argument;
	int32_t n = ++now, seen = most;
	while (n > seen && !atomic_compare_exchange_weak(&most, &seen, n))
		;
	char buf[256];
	size_t got;
	int error;
	while (!(error = receive(fd, buf, sizeof buf, &got)) && got)
		check(transmit(fd, buf, got));
	if (error && error != ECONNRESET)
		fail("receive: %d", error);
	check(fd_close(fd));
	now--;
}

int program(int argc, char **argv)
{
	if (argc != 2)
		return 1;
	int count = number(argv[1]);
	struct thread **threads = allocate(count * sizeof *threads);
	struct address at;
	int listener = open_bound(STREAM, &at);
	say("listening 127.0.0.1 %d", at.port);
	for (int i = 0; i < count; i++) {
		int fd;
		check(sock_accept(listener, 0, &fd));
		threads[i] = thread_must_start(serve, (void *)(intptr_t)fd);
	}
	for (int i = 0; i < count; i++)
		thread_join(threads[i]);
	say("served %d, %d at once", count, most);
	return 0;
}
