/* produce: a thread receives datagrams and puts them into a queue; another takes them out, and
 * returns each to its sender with a digit in front, counting from 0 to 9. They synchronize by
 * atomic wait and notify only, and the test sends more datagrams than the queue holds. Ends with
 * the datagram "end". Prints "listening 127.0.0.1 PORT", and at the end "passed COUNT". */
#include "guest.h"

enum { PLACES = 4 };

struct item {
	struct address from;
	char text[64];
	size_t length;
};

static struct item queue[PLACES];
static _Atomic int32_t put, taken; /* total number of items */
static int udp;

static bool is_end(const struct item *i)
{
	return i->length == 3 && i->text[0] == 'e' && i->text[1] == 'n' && i->text[2] == 'd';
}

static void produce(void *unused)
{
	(void)unused;
	struct item *i;
	do {
		for (int32_t seen; put - (seen = taken) == PLACES;)
			wait_on(&taken, seen, -1);
		i = &queue[put % PLACES];
		check(sock_recv_from(
		    udp, &(struct vec){i->text, sizeof i->text}, 1, 0, &i->from, &i->length));
		put++;
		wake(&put, 1);
	} while (!is_end(i));
}

static void consume(void *count)
{
	for (;; taken++, wake(&taken, 1)) {
		for (int32_t seen; (seen = put) == taken;)
			wait_on(&put, seen, -1);
		struct item *i = &queue[taken % PLACES];
		if (is_end(i))
			break;
		char digit = '0' + taken % 10;
		size_t sent;
		check(sock_send_to(
		    udp, (struct vec[]){{&digit, 1}, {i->text, i->length}}, 2, 0, &i->from, &sent));
	}
	*(int32_t *)count = taken;
}

int program(int argc, char **argv)
{
	(void)argc, (void)argv;
	struct address at;
	udp = open_bound(DGRAM, &at);
	say("listening 127.0.0.1 %d", at.port);
	int32_t count;
	struct thread *producer = thread_must_start(produce, NULL),
	              *consumer = thread_must_start(consume, &count);
	thread_join(producer);
	thread_join(consumer);
	say("passed %d", count);
	return 0;
}
