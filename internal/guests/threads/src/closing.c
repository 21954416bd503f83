/* closing WHAT: three threads block on a descriptor, and another thread closes it, or closes it and
 * at once opens another one with the same number, or renumbers another one to it. WHAT is
 * "sockets", for each way to block on them, or "poll stdin" or "read stdin". Prints for each way
 * "WAY: ERRNO ERRNO ERRNO", the results of the three blocked calls. */
#include "guest.h"

static _Atomic int32_t blocking, closing;
static int fd, got[3];

static int recv_on(void)
{
	char b;
	size_t n;
	return receive(fd, &b, 1, &n);
}

static int recv_from_on(void)
{
	char b;
	size_t n;
	struct address from;
	return sock_recv_from(fd, &(struct vec){&b, 1}, 1, 0, &from, &n);
}

static int accept_on(void)
{
	int connection;
	return sock_accept(fd, 0, &connection);
}

static int read_on(void)
{
	char b;
	size_t n;
	return fd_read(fd, &(struct vec){&b, 1}, 1, &n);
}

static int send_on(void)
{
	static char much[1 << 16];
	int e;
	size_t sent;
	do
		e = sock_send(fd, &(struct vec){much, sizeof much}, 1, 0, &sent);
	while (!e && sent == sizeof much && !closing);
	/* The call returns the bytes sent before; the next one would get the error, or meet another
	 * socket with the number if this thread got no processor for a while. */
	return e ? e : EBADF;
}

static int poll_on(void)
{
	int error, e = poll_readable(fd, &error);
	return e ? -e : error;
}

static int poll_two_on(void)
{
	struct address at;
	int other = open_bound(DGRAM, &at);
	struct subscription s[] = {
	    {.userdata = 1, .type = 1, .fd = other}, {.userdata = 2, .type = 1, .fd = fd}};
	struct event e[2];
	size_t n;
	int status = poll_oneoff(s, e, 2, &n);
	check(fd_close(other));
	if (status || n != 1 || e[0].userdata != 2)
		return -1;
	return e[0].error;
}

static int (*way)(void);

static void block(void *n)
{
	blocking++;
	wake(&blocking, -1);
	got[(intptr_t)n] = way();
}

static int connection(void)
{
	static int other;
	int ends[2];
	if (other)
		check(fd_close(other));
	connected(ends);
	other = ends[1];
	return ends[0];
}

static int datagrams(void)
{
	struct address at;
	return open_bound(DGRAM, &at);
}

static int listener(void)
{
	struct address at;
	return open_bound(STREAM, &at);
}

static int input(void)
{
	return 0;
}

static uint64_t cpu_time(int clock)
{
	uint64_t ns;
	check(clock_time_get(clock, 1, &ns));
	return ns;
}

/* Waits until all other threads are blocked: five times in a row they used no processor time for 1
 * ms, in which this thread slept. Reading the two clocks takes less than 10 us. */
static void await_blocked(void)
{
	enum { PROCESS = 2, THREAD = 3 };
	struct subscription pause = {.timeout = 1000000, .clock = 1};
	struct event e;
	size_t n;
	uint64_t mine = cpu_time(THREAD), others = cpu_time(PROCESS) - mine;
	for (int quiet = 0; quiet < 5; quiet++) {
		check(poll_oneoff(&pause, &e, 1, &n));
		uint64_t before = others;
		mine = cpu_time(THREAD), others = cpu_time(PROCESS) - mine;
		if (others > before + 10000)
			quiet = -1;
	}
}

int __attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_renumber")))
fd_renumber(int, int);

enum then { CLOSE, REOPEN, RENUMBER };

static void try(const char *name, int (*open)(void), enum then then)
{
	fd = open();
	blocking = closing = 0;
	struct thread *t[3];
	for (intptr_t n = 0; n < 3; n++)
		t[n] = thread_must_start(block, (void *)n);
	wait_until_equal(&blocking, 3);
	await_blocked();
	closing = 1;
	check(then == RENUMBER ? fd_renumber(datagrams(), fd) : fd_close(fd));
	while (then == REOPEN && datagrams() != fd) /* the lowest free number may be another */
		;
	for (int n = 0; n < 3; n++)
		thread_join(t[n]);
	if (then != CLOSE)
		check(fd_close(fd));
	say("%s: %d %d %d", name, got[0], got[1], got[2]);
}

int program(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*open)(void);
		int (*block)(void);
	} ways[] = {
	    {"recv", connection, recv_on},
	    {"send", connection, send_on},
	    {"read", connection, read_on},
	    {"accept", listener, accept_on},
	    {"recv_from", datagrams, recv_from_on},
	    {"poll", datagrams, poll_on},
	    {"poll listener", listener, poll_on},
	    {"poll two", datagrams, poll_two_on},
	    {"poll stdin", input, poll_on},
	    {"read stdin", input, read_on},
	};
	if (argc != 2)
		return 1;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		way = ways[i].block;
		if (ways[i].open == input) {
			if (same(argv[1], ways[i].name))
				try(ways[i].name, input, REOPEN);
		} else if (same(argv[1], "sockets")) {
			for (enum then then = CLOSE; then <= RENUMBER; then++)
				try(ways[i].name, ways[i].open, then);
		}
	}
	return 0;
}
