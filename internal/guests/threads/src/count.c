/* count THREADS ROUNDS: many threads count together, each for ROUNDS times: with a lock, and by
 * atomic instructions. All begin at the same time. Prints "counted N and M". */
#include "guest.h"

static struct lock guard;
static _Atomic int32_t begun, atomically;
static int locked, rounds;

static void count(void *unused)
{
	(void)unused;
	wait_until_equal(&begun, 1);
	for (int i = 0; i < rounds; i++) {
		lock(&guard);
		locked++;
		unlock(&guard);
		atomically++;
	}
}

int program(int argc, char **argv)
{
	if (argc != 3)
		return 1;
	int n = number(argv[1]);
	rounds = number(argv[2]);
	struct thread **threads = allocate(n * sizeof *threads);
	for (int i = 0; i < n; i++)
		threads[i] = thread_must_start(count, NULL);
	set_and_wake(&begun, 1);
	for (int i = 0; i < n; i++)
		thread_join(threads[i]);
	say("counted %d and %d", locked, atomically);
	return 0;
}
