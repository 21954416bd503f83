#ifndef _REENTRANT
#include "single.h"

/* wasi-libc's initializer is all zeros. */
struct rwlock {
	int readers; /* or -1 for a writer */
};

_Static_assert(sizeof(struct rwlock) <= sizeof(pthread_rwlock_t), "pthread_rwlock_t");

WEAK int pthread_rwlock_init(
    pthread_rwlock_t *restrict lock, const pthread_rwlockattr_t *restrict attr)
{
	(void)attr;
	*(struct rwlock *)lock = (struct rwlock){0};
	return 0;
}

WEAK int pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
	(void)lock;
	return 0;
}

WEAK int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
	struct rwlock *l = (struct rwlock *)lock;

	if (l->readers < 0)
		return EBUSY;
	if (l->readers == INT_MAX)
		return EAGAIN;
	l->readers++;
	return 0;
}

WEAK int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
	struct rwlock *l = (struct rwlock *)lock;

	if (l->readers != 0)
		return EBUSY;
	l->readers = -1;
	return 0;
}

/* The thread that would wait has the lock itself (POSIX, pthread_rwlock_rdlock and wrlock). */
static int deadlock(int err)
{
	return err == EBUSY ? EDEADLK : err;
}

WEAK int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
	return deadlock(pthread_rwlock_tryrdlock(lock));
}

WEAK int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
	return deadlock(pthread_rwlock_trywrlock(lock));
}

WEAK int pthread_rwlock_timedrdlock(
    pthread_rwlock_t *restrict lock, const struct timespec *restrict at)
{
	(void)at;
	return pthread_rwlock_rdlock(lock);
}

WEAK int pthread_rwlock_timedwrlock(
    pthread_rwlock_t *restrict lock, const struct timespec *restrict at)
{
	if (((struct rwlock *)lock)->readers > 0)
		return __wasport_time_out(CLOCK_REALTIME, at);
	return pthread_rwlock_wrlock(lock);
}

WEAK int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
	struct rwlock *l = (struct rwlock *)lock;

	if (l->readers == 0)
		return EPERM;
	l->readers -= l->readers > 0 ? 1 : -1;
	return 0;
}

WEAK int pthread_rwlockattr_init(pthread_rwlockattr_t *attr)
{
	*attr = (pthread_rwlockattr_t){0};
	return 0;
}

WEAK int pthread_rwlockattr_destroy(pthread_rwlockattr_t *attr)
{
	(void)attr;
	return 0;
}

WEAK int pthread_rwlockattr_getpshared(
    const pthread_rwlockattr_t *restrict attr, int *restrict shared)
{
	*shared = attr->__attr[0];
	return 0;
}

WEAK int pthread_rwlockattr_setpshared(pthread_rwlockattr_t *attr, int shared)
{
	return set_binary(&attr->__attr[0], shared);
}
#endif
