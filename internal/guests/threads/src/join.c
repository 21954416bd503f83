/* join COUNT: starts a thread and waits for its end, COUNT times. Each thread adds its own number
 * to a sum. Prints "joined COUNT, sum SUM, id ID" with the id of the last thread. */
#include "guest.h"

static _Atomic int32_t total;

static void add(void *n)
{
	total += (intptr_t)n;
}

int program(int argc, char **argv)
{
	if (argc != 2)
		return 1;
	int count = number(argv[1]), last = 0;
	for (intptr_t i = 1; i <= count; i++) {
		struct thread *t = thread_must_start(add, (void *)i);
		thread_join(t);
		if (t->id <= 0 || t->id >= 1 << 29)
			fail("id %d", t->id);
		last = t->id;
	}
	say("joined %d, sum %d, id %d", count, total, last);
	return 0;
}
