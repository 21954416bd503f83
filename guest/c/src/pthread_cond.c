#ifndef _REENTRANT
#include "single.h"

/* wasi-libc's initializer is all zeros. A clock is a pointer there; 0 stands for the default. */
struct cond {
	uintptr_t clock;
};

_Static_assert(sizeof(struct cond) <= sizeof(pthread_cond_t), "pthread_cond_t");
_Static_assert(sizeof(uintptr_t) <= sizeof(pthread_condattr_t), "pthread_condattr_t");

static clockid_t clock_of(uintptr_t number)
{
	return number == 0 ? CLOCK_REALTIME : (clockid_t)number;
}

WEAK int pthread_cond_init(pthread_cond_t *restrict cond, const pthread_condattr_t *restrict attr)
{
	*(struct cond *)cond = (struct cond){.clock = attr != NULL ? attr->__attr : 0};
	return 0;
}

WEAK int pthread_cond_destroy(pthread_cond_t *cond)
{
	(void)cond;
	return 0;
}

WEAK int pthread_cond_signal(pthread_cond_t *cond)
{
	(void)cond;
	return 0;
}

WEAK int pthread_cond_broadcast(pthread_cond_t *cond)
{
	return pthread_cond_signal(cond);
}

/* Gives the mutex up and takes it again, which shows whether the thread has it. */
static int release(pthread_mutex_t *mutex)
{
	int err = pthread_mutex_unlock(mutex);

	return err != 0 ? err : pthread_mutex_trylock(mutex);
}

WEAK int pthread_cond_wait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex)
{
	int err = release(mutex);

	(void)cond;
	if (err == 0)
		__wasport_stuck("pthread_cond_wait");
	return err;
}

WEAK int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
    const struct timespec *restrict at)
{
	int err = release(mutex);

	return err != 0 ? err : __wasport_time_out(clock_of(((struct cond *)cond)->clock), at);
}

WEAK int pthread_condattr_init(pthread_condattr_t *attr)
{
	attr->__attr = 0;
	return 0;
}

WEAK int pthread_condattr_destroy(pthread_condattr_t *attr)
{
	(void)attr;
	return 0;
}

WEAK int pthread_condattr_getclock(
    const pthread_condattr_t *restrict attr, clockid_t *restrict clock)
{
	*clock = clock_of(attr->__attr);
	return 0;
}

WEAK int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock)
{
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return EINVAL;
	attr->__attr = (uintptr_t)clock;
	return 0;
}

/* There is one process, so it makes no difference, and is not kept. */
WEAK int pthread_condattr_getpshared(
    const pthread_condattr_t *restrict attr, int *restrict shared)
{
	(void)attr;
	*shared = PTHREAD_PROCESS_PRIVATE;
	return 0;
}

WEAK int pthread_condattr_setpshared(pthread_condattr_t *attr, int shared)
{
	unsigned ignored;

	(void)attr;
	return set_binary(&ignored, shared);
}

WEAK int pthread_barrier_init(
    pthread_barrier_t *restrict barrier, const pthread_barrierattr_t *restrict attr, unsigned count)
{
	(void)attr;
	if (count == 0)
		return EINVAL;
	*(unsigned *)barrier = count;
	return 0;
}

WEAK int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
	(void)barrier;
	return 0;
}

WEAK int pthread_barrier_wait(pthread_barrier_t *barrier)
{
	if (*(unsigned *)barrier > 1)
		__wasport_stuck("pthread_barrier_wait");
	return PTHREAD_BARRIER_SERIAL_THREAD;
}

WEAK int pthread_barrierattr_init(pthread_barrierattr_t *attr)
{
	attr->__attr = 0;
	return 0;
}

WEAK int pthread_barrierattr_destroy(pthread_barrierattr_t *attr)
{
	(void)attr;
	return 0;
}

WEAK int pthread_barrierattr_getpshared(
    const pthread_barrierattr_t *restrict attr, int *restrict shared)
{
	*shared = attr->__attr;
	return 0;
}

WEAK int pthread_barrierattr_setpshared(pthread_barrierattr_t *attr, int shared)
{
	return set_binary(&attr->__attr, shared);
}
#endif
