/*
 * crowd epoll|threads    echoes 64 bytes on each connection: with epoll(7) in one thread, or with a
 * thread for each connection. Tells the processor time for each line of input, and ends with it.
 */
#include "../bench.h"
#include <pthread.h>
#include <sys/epoll.h>

static void start_thread(void *(*run)(void *), void *with)
{
	pthread_attr_t small;
	pthread_t thread;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
	if ((errno = pthread_create(&thread, &small, run, with)) != 0)
		fail("pthread_create");
	pthread_attr_destroy(&small);
}

static void *tell_time(void *unused)
{
	struct timespec t;
	(void)unused;
	for (int c; (c = getchar()) != EOF;) {
		if (c != '\n')
			continue;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
		printf("cpu %lld\n", (long long)t.tv_sec * 1000000000 + t.tv_nsec);
		fflush(stdout);
	}
	exit(0);
}

/* Returns 0 at the end of the stream, or after the client has gone. */
static int echo(int fd)
{
	char buf[64];
	ssize_t n = recv(fd, buf, sizeof buf, 0);
	return n > 0 && send(fd, buf, (size_t)n, MSG_NOSIGNAL) == n;
}

static void *serve_one(void *fd)
{
	while (echo((int)(intptr_t)fd))
		;
	close((int)(intptr_t)fd);
	return 0;
}

static void watch(int all, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
	if (epoll_ctl(all, EPOLL_CTL_ADD, fd, &e) != 0)
		fail("epoll_ctl");
}

static void serve_by_epoll(int listener)
{
	static struct epoll_event ready[512];
	int all = epoll_create1(0);
	watch(all, listener);
	for (;;) {
		int n = epoll_wait(all, ready, 512, -1);
		for (int i = 0; i < n; i++) {
			int fd = ready[i].data.fd;
			if (fd == listener) {
				fd = accept_one(listener);
				set_nodelay(fd);
				watch(all, fd);
			} else if (!echo(fd)) {
				close(fd);
			}
		}
	}
}

int main(int argc, char **argv)
{
	if (argc != 2 || (!equals(argv[1], "epoll") && !equals(argv[1], "threads")))
		usage("crowd epoll|threads");
	int listener = open_listener();
	start_thread(tell_time, 0);
	if (equals(argv[1], "epoll"))
		serve_by_epoll(listener);
	for (;;) {
		int fd = accept_one(listener);
		set_nodelay(fd);
		start_thread(serve_one, (void *)(intptr_t)fd);
	}
}
