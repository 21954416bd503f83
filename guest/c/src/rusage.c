#define _WASI_EMULATED_GETPID /* for getpid() */
#define _WASI_EMULATED_PROCESS_CLOCKS /* wasi-libc's <sys/resource.h> is an error without it */
#include "sock.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int getrusage(int who, struct rusage *usage)
{
	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN)
		return result(EINVAL);
	*usage = (struct rusage){0};
	if (who == RUSAGE_SELF) {
		clock_t time = clock(); /* wasi-libc's emulation */

		usage->ru_utime.tv_sec = time / CLOCKS_PER_SEC;
		usage->ru_utime.tv_usec = time % CLOCKS_PER_SEC / (CLOCKS_PER_SEC / 1000000);
	}
	return 0;
}

static int priority;

static int32_t check(int which, id_t who)
{
	if (which < PRIO_PROCESS || which > PRIO_USER)
		return EINVAL;
	return who == 0 || (which == PRIO_PROCESS && who == (id_t)getpid()) ? 0 : ESRCH;
}

int getpriority(int which, id_t who)
{
	int32_t err = check(which, who);

	return err != 0 ? result(err) : priority;
}

/* Remembers the priority, which has no effect. Lowering it alone needs no privilege
 * (setpriority(2)). */
int setpriority(int which, id_t who, int value)
{
	int32_t err = check(which, who);

	if (err != 0)
		return result(err);
	value = value < -20 ? -20 : value > 19 ? 19 : value;
	if (value < priority)
		return result(EACCES);
	priority = value;
	return 0;
}
