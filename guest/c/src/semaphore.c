#ifndef _REENTRANT
#include "single.h"

#include <semaphore.h>

static int failure(int err)
{
	if (err == 0)
		return 0;
	errno = err;
	return -1;
}

WEAK int sem_init(sem_t *sem, int shared, unsigned value)
{
	(void)shared;
	if (value > SEM_VALUE_MAX)
		return failure(EINVAL);
	sem->__val[0] = value;
	return 0;
}

WEAK int sem_destroy(sem_t *sem)
{
	(void)sem;
	return 0;
}

WEAK int sem_getvalue(sem_t *restrict sem, int *restrict value)
{
	*value = sem->__val[0];
	return 0;
}

WEAK int sem_post(sem_t *sem)
{
	if (sem->__val[0] == SEM_VALUE_MAX)
		return failure(EOVERFLOW);
	sem->__val[0]++;
	return 0;
}

WEAK int sem_trywait(sem_t *sem)
{
	if (sem->__val[0] == 0)
		return failure(EAGAIN);
	sem->__val[0]--;
	return 0;
}

WEAK int sem_wait(sem_t *sem)
{
	if (sem->__val[0] == 0)
		__wasport_stuck("sem_wait");
	return sem_trywait(sem);
}

WEAK int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict at)
{
	if (sem->__val[0] == 0)
		return failure(__wasport_time_out(CLOCK_REALTIME, at));
	return sem_trywait(sem);
}

/* A semaphore with a name would be for other processes. */
WEAK sem_t *sem_open(const char *name, int flags, ...)
{
	(void)name, (void)flags;
	errno = ENOSYS;
	return SEM_FAILED;
}

WEAK int sem_close(sem_t *sem)
{
	(void)sem;
	return failure(EINVAL);
}

WEAK int sem_unlink(const char *name)
{
	(void)name;
	return failure(ENOSYS);
}
#endif
