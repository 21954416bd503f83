#include <errno.h>
#include <sched.h>

/* As on Linux (sched(7)). */
int sched_get_priority_max(int policy)
{
	switch (policy) {
	case SCHED_OTHER:
		return 0;
	case SCHED_FIFO:
	case SCHED_RR:
		return 99;
	}
	errno = EINVAL;
	return -1;
}

int sched_get_priority_min(int policy)
{
	int max = sched_get_priority_max(policy);

	return max > 0 ? 1 : max;
}
