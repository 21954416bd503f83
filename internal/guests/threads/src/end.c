/* end HOW: threads compute and block in every blocking call until the program ends. HOW is
 *   trap       a thread traps
 *   exit       a thread calls proc_exit(7)
 *   return     the first thread returns
 *   nothing    the test ends the program
 * Prints "ready" once all are about to block. A thread whose call returns prints that, which is a
 * failure.
 */
#include "guest.h"

static int idle[2], full[2], udp, listener;
static _Atomic int32_t never, ready, now;

static void about_to(void)
{
	ready++;
	wake(&ready, -1);
}

static void in_recv(void *unused)
{
	(void)unused;
	char b;
	size_t n;
	about_to();
	int e = receive(idle[0], &b, 1, &n);
	say("recv returned %d", e);
}

static void in_recv_from(void *unused)
{
	(void)unused;
	char b;
	size_t n;
	struct address from;
	about_to();
	int e = sock_recv_from(udp, &(struct vec){&b, 1}, 1, 0, &from, &n);
	say("recv_from returned %d", e);
}

static void in_accept(void *unused)
{
	(void)unused;
	int fd;
	about_to();
	int e = sock_accept(listener, 0, &fd);
	say("accept returned %d", e);
}

static void in_send(void *unused)
{
	(void)unused;
	static char much[1 << 16];
	about_to();
	while (!transmit(full[0], much, sizeof much))
		;
	say("send returned");
}

static void in_poll(void *unused)
{
	(void)unused;
	int error;
	about_to();
	int e = poll_readable(udp, &error);
	say("poll returned %d", e);
}

static void in_sleep(void *unused)
{
	(void)unused;
	struct subscription s = {.clock = 1, .timeout = 1000000000000};
	struct event e;
	size_t n;
	about_to();
	poll_oneoff(&s, &e, 1, &n);
	say("sleep returned");
}

static void in_read(void *unused)
{
	(void)unused;
	char b;
	size_t n;
	about_to();
	int e = fd_read(0, &(struct vec){&b, 1}, 1, &n);
	say("read returned %d", e);
}

static void in_wait(void *timeout)
{
	about_to();
	int e = wait_on(&never, 0, (intptr_t)timeout ? 1000000000000 : -1);
	say("wait returned %d", e);
}

static void computing(void *unused)
{
	(void)unused;
	about_to();
	while (!never)
		;
	say("computing is over");
}

static void in_join(void *t)
{
	about_to();
	thread_join(t);
	say("join returned");
}

static void end(void *how)
{
	wait_until_equal(&now, 1);
	if (same(how, "trap"))
		__builtin_trap();
	proc_exit(7);
}

int program(int argc, char **argv)
{
	if (argc != 2)
		return 1;
	struct address at;
	connected(idle);
	connected(full);
	udp = open_bound(DGRAM, &at);
	listener = open_bound(STREAM, &at);
	struct {
		void (*run)(void *);
		void *argument;
	} all[] = {
	    {in_recv, NULL},
	    {in_recv, NULL},
	    {in_recv_from, NULL},
	    {in_accept, NULL},
	    {in_accept, NULL},
	    {in_send, NULL},
	    {in_poll, NULL},
	    {in_poll, NULL},
	    {in_sleep, NULL},
	    {in_read, NULL},
	    {in_wait, NULL},
	    {in_wait, (void *)1},
	    {computing, NULL},
	};
	enum { COUNT = sizeof all / sizeof *all };
	for (int i = 0; i < COUNT; i++)
		thread_must_start(all[i].run, all[i].argument);
	if (same(argv[1], "trap") || same(argv[1], "exit"))
		thread_must_start(in_join, thread_must_start(end, argv[1]));
	else
		ready++;
	wait_until_equal(&ready, COUNT + 1);
	say("ready");
	set_and_wake(&now, 1);
	if (!same(argv[1], "return"))
		wait_until_equal(&never, 1);
	return 0;
}
