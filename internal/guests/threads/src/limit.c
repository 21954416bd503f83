/* limit: starts threads until the host refuses another one, lets one end, starts another, and lets
 * all end; then does all of that again. Prints "started N" each time, "another" if N is not 0, and
 * "ended". */
#include "guest.h"

static _Atomic int32_t running, over;

static void run(void *mine)
{
	running++;
	wake(&running, -1);
	wait_until_equal(mine, 1);
}

int program(int argc, char **argv)
{
	(void)argc, (void)argv;
	enum { MOST = 500 };
	struct thread **threads = allocate(MOST * sizeof *threads);
	/* So many can start, once the last threads of the round before have left. */
	int before = 0;
	for (int round = 0; round < 2; round++) {
		_Atomic int32_t first = 0;
		over = running = 0;
		int n = 0;
		do
			threads[n] = (n < before ? thread_must_start : thread_start)(run, n ? &over : &first);
		while (threads[n] && ++n < MOST);
		before = n;
		wait_until_equal(&running, n);
		say("started %d", n);
		if (n) {
			set_and_wake(&first, 1);
			thread_join(threads[0]);
			threads[0] = thread_must_start(run, &over);
			wait_until_equal(&running, n + 1);
			say("another");
		}
		set_and_wake(&over, 1);
		while (n)
			thread_join(threads[--n]);
		say("ended");
	}
	return 0;
}
