/* accepts THREADS COUNT: threads accept on one listener. Each sends its number, one byte, on a
 * connection that it accepts, and closes it; after COUNT connections all end. Prints "listening
 * 127.0.0.1 PORT", and at the end "accepted COUNT". */
#include "guest.h"

static int listener, count;
static _Atomic int32_t accepted;

static void serve(void *n)
{
	for (;;) {
		int fd, e = sock_accept(listener, 0, &fd);
		if (e == EBADF)
			return;
		check(e);
		char b = (intptr_t)n;
		int nth = ++accepted;
		check(transmit(fd, &b, 1));
		check(fd_close(fd));
		if (nth == count)
			check(fd_close(listener));
	}
}

int program(int argc, char **argv)
{
	if (argc != 3)
		return 1;
	int n = number(argv[1]);
	count = number(argv[2]);
	struct thread **threads = allocate(n * sizeof *threads);
	struct address at;
	listener = open_bound(STREAM, &at);
	for (intptr_t i = 0; i < n; i++)
		threads[i] = thread_must_start(serve, (void *)i);
	say("listening 127.0.0.1 %d", at.port);
	for (int i = 0; i < n; i++)
		thread_join(threads[i]);
	say("accepted %d", accepted);
	return 0;
}
