#ifndef _REENTRANT
#include "single.h"

/* wasi-libc's initializer is all zeros: an unlocked mutex of the type PTHREAD_MUTEX_NORMAL. */
struct mutex {
	int type, depth;
};

_Static_assert(sizeof(struct mutex) <= sizeof(pthread_mutex_t), "pthread_mutex_t");

/* The attributes, in the bits of an unsigned. */
enum { TYPE = 3, ROBUST = 4, SHARED = 8 };

WEAK int pthread_mutex_init(
    pthread_mutex_t *restrict mutex, const pthread_mutexattr_t *restrict attr)
{
	*(struct mutex *)mutex = (struct mutex){.type = attr != NULL ? attr->__attr & TYPE : 0};
	return 0;
}

WEAK int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
	return ((struct mutex *)mutex)->depth > 0 ? EBUSY : 0;
}

WEAK int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	struct mutex *m = (struct mutex *)mutex;

	if (m->depth > 0 && m->type != PTHREAD_MUTEX_RECURSIVE)
		return EBUSY;
	if (m->depth == INT_MAX)
		return EAGAIN;
	m->depth++;
	return 0;
}

/* Locks, or returns EBUSY where that would wait. */
static int lock(pthread_mutex_t *mutex)
{
	int err = pthread_mutex_trylock(mutex);

	if (err == EBUSY && ((struct mutex *)mutex)->type == PTHREAD_MUTEX_ERRORCHECK)
		return EDEADLK;
	return err;
}

WEAK int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	int err = lock(mutex);

	if (err == EBUSY)
		__wasport_stuck("pthread_mutex_lock");
	return err;
}

WEAK int pthread_mutex_timedlock(
    pthread_mutex_t *restrict mutex, const struct timespec *restrict at)
{
	int err = lock(mutex);

	return err == EBUSY ? __wasport_time_out(CLOCK_REALTIME, at) : err;
}

WEAK int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	struct mutex *m = (struct mutex *)mutex;

	if (m->depth == 0)
		return EPERM;
	m->depth--;
	return 0;
}

/* No owner can end without its mutexes. */
WEAK int pthread_mutex_consistent(pthread_mutex_t *mutex)
{
	(void)mutex;
	return EINVAL;
}

WEAK int pthread_mutexattr_init(pthread_mutexattr_t *attr)
{
	attr->__attr = PTHREAD_MUTEX_DEFAULT;
	return 0;
}

WEAK int pthread_mutexattr_destroy(pthread_mutexattr_t *attr)
{
	(void)attr;
	return 0;
}

WEAK int pthread_mutexattr_gettype(const pthread_mutexattr_t *restrict attr, int *restrict type)
{
	*type = attr->__attr & TYPE;
	return 0;
}

WEAK int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int type)
{
	if (type < PTHREAD_MUTEX_NORMAL || type > PTHREAD_MUTEX_ERRORCHECK)
		return EINVAL;
	attr->__attr = (attr->__attr & ~TYPE) | type;
	return 0;
}

static int set_bit(pthread_mutexattr_t *attr, unsigned bit, int value)
{
	unsigned on;
	int err = set_binary(&on, value);

	if (err == 0)
		attr->__attr = (attr->__attr & ~bit) | on * bit;
	return err;
}

WEAK int pthread_mutexattr_getrobust(
    const pthread_mutexattr_t *restrict attr, int *restrict robust)
{
	*robust = (attr->__attr & ROBUST) != 0;
	return 0;
}

WEAK int pthread_mutexattr_setrobust(pthread_mutexattr_t *attr, int robust)
{
	return set_bit(attr, ROBUST, robust);
}

WEAK int pthread_mutexattr_getpshared(
    const pthread_mutexattr_t *restrict attr, int *restrict shared)
{
	*shared = (attr->__attr & SHARED) != 0;
	return 0;
}

WEAK int pthread_mutexattr_setpshared(pthread_mutexattr_t *attr, int shared)
{
	return set_bit(attr, SHARED, shared);
}

WEAK int pthread_mutexattr_getprotocol(
    const pthread_mutexattr_t *restrict attr, int *restrict protocol)
{
	(void)attr;
	*protocol = PTHREAD_PRIO_NONE;
	return 0;
}

WEAK int pthread_mutexattr_setprotocol(pthread_mutexattr_t *attr, int protocol)
{
	(void)attr;
	if (protocol == PTHREAD_PRIO_INHERIT || protocol == PTHREAD_PRIO_PROTECT)
		return ENOTSUP;
	return protocol == PTHREAD_PRIO_NONE ? 0 : EINVAL;
}

WEAK int pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
	(void)shared;
	*lock = 0;
	return 0;
}

WEAK int pthread_spin_destroy(pthread_spinlock_t *lock)
{
	(void)lock;
	return 0;
}

WEAK int pthread_spin_trylock(pthread_spinlock_t *lock)
{
	if (*lock)
		return EBUSY;
	*lock = 1;
	return 0;
}

WEAK int pthread_spin_lock(pthread_spinlock_t *lock)
{
	if (pthread_spin_trylock(lock) != 0)
		__wasport_stuck("pthread_spin_lock");
	return 0;
}

WEAK int pthread_spin_unlock(pthread_spinlock_t *lock)
{
	*lock = 0;
	return 0;
}
#endif
