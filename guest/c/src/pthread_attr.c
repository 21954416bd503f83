#ifndef _REENTRANT
#include "single.h"

/* Attributes of threads, of which none is ever made: they are kept. */
struct attr {
	size_t stack, guard;
	unsigned detached, inherit, policy;
	int priority;
};

_Static_assert(sizeof(struct attr) <= sizeof(pthread_attr_t), "pthread_attr_t");

WEAK int pthread_attr_init(pthread_attr_t *attr)
{
	*(struct attr *)attr = (struct attr){.stack = 1 << 20, .guard = PAGESIZE};
	return 0;
}

WEAK int pthread_attr_destroy(pthread_attr_t *attr)
{
	(void)attr;
	return 0;
}

WEAK int pthread_attr_getdetachstate(const pthread_attr_t *attr, int *state)
{
	*state = ((const struct attr *)attr)->detached;
	return 0;
}

WEAK int pthread_attr_setdetachstate(pthread_attr_t *attr, int state)
{
	return set_binary(&((struct attr *)attr)->detached, state);
}

WEAK int pthread_attr_getguardsize(const pthread_attr_t *restrict attr, size_t *restrict size)
{
	*size = ((const struct attr *)attr)->guard;
	return 0;
}

WEAK int pthread_attr_setguardsize(pthread_attr_t *attr, size_t size)
{
	((struct attr *)attr)->guard = size;
	return 0;
}

WEAK int pthread_attr_getstacksize(const pthread_attr_t *restrict attr, size_t *restrict size)
{
	*size = ((const struct attr *)attr)->stack;
	return 0;
}

WEAK int pthread_attr_setstacksize(pthread_attr_t *attr, size_t size)
{
	if (size < PTHREAD_STACK_MIN)
		return EINVAL;
	((struct attr *)attr)->stack = size;
	return 0;
}

WEAK int pthread_attr_getinheritsched(const pthread_attr_t *restrict attr, int *restrict inherit)
{
	*inherit = ((const struct attr *)attr)->inherit;
	return 0;
}

WEAK int pthread_attr_setinheritsched(pthread_attr_t *attr, int inherit)
{
	return set_binary(&((struct attr *)attr)->inherit, inherit);
}

WEAK int pthread_attr_getschedpolicy(const pthread_attr_t *restrict attr, int *restrict policy)
{
	*policy = ((const struct attr *)attr)->policy;
	return 0;
}

WEAK int pthread_attr_setschedpolicy(pthread_attr_t *attr, int policy)
{
	if (sched_get_priority_max(policy) < 0)
		return EINVAL;
	((struct attr *)attr)->policy = policy;
	return 0;
}

WEAK int pthread_attr_getschedparam(
    const pthread_attr_t *restrict attr, struct sched_param *restrict param)
{
	param->sched_priority = ((const struct attr *)attr)->priority;
	return 0;
}

WEAK int pthread_attr_setschedparam(
    pthread_attr_t *restrict attr, const struct sched_param *restrict param)
{
	struct attr *a = (struct attr *)attr;
	int priority = param->sched_priority;
	int max = sched_get_priority_max(a->policy);

	if (priority < sched_get_priority_min(a->policy) || priority > max)
		return EINVAL;
	a->priority = priority;
	return 0;
}

WEAK int pthread_attr_getscope(const pthread_attr_t *restrict attr, int *restrict scope)
{
	(void)attr;
	*scope = PTHREAD_SCOPE_SYSTEM;
	return 0;
}

WEAK int pthread_attr_setscope(pthread_attr_t *attr, int scope)
{
	(void)attr;
	if (scope == PTHREAD_SCOPE_PROCESS)
		return ENOTSUP;
	return scope == PTHREAD_SCOPE_SYSTEM ? 0 : EINVAL;
}
#endif
