/* flip: a thread changes the arguments of a call over and over while another makes the call. A host
 * that reads them twice judges other arguments than it uses.
 *
 * flip port COUNT ALLOWED DENIED sends datagrams to 127.0.0.1, to either port, until COUNT were
 * sent and COUNT refused. flip memory COUNT PORT sends them from within its memory or from beyond.
 * Prints "done". */
#include "guest.h"

enum { EACCES = 2, EFAULT = 21 };

static struct address to = {.ip = {127, 0, 0, 1}};
static char text[] = "datagram";
static struct vec from = {text, sizeof text - 1};
static _Atomic bool over;

static volatile uint16_t *port = &to.port;
static uint16_t ports[2];

static void flip_port(void *unused)
{
	(void)unused;
	for (unsigned i = 0; !over; i++)
		*port = ports[i % 2];
}

static void flip_memory(void *unused)
{
	void *volatile *base = &from.base;

	(void)unused;
	for (unsigned i = 0; !over; i++)
		*base = i % 2 ? text : (void *)0xfffffff0;
}

int program(int argc, char **argv)
{
	bool of_port = argc > 1 && same(argv[1], "port");
	int udp, count, sent = 0, refused = 0;
	struct thread *flipper;

	if (argc != (of_port ? 5 : 4))
		fail("usage: flip port COUNT ALLOWED DENIED | flip memory COUNT PORT");
	ports[0] = to.port = number(argv[3]);
	if (of_port)
		ports[1] = number(argv[4]);
	check(sock_open(-1, 0, DGRAM, &udp));
	flipper = thread_must_start(of_port ? flip_port : flip_memory, NULL);
	for (count = number(argv[2]); sent < count || refused < count;) {
		size_t n;
		int e = sock_send_to(udp, &from, 1, 0, &to, &n);
		if (e == SUCCESS)
			sent++;
		else if (e == (of_port ? EACCES : EFAULT))
			refused++;
		else
			fail("sock_send_to: %d", e);
	}
	over = true;
	thread_join(flipper);
	say("done");
	return 0;
}
