#ifndef _REENTRANT
#define _WASI_EMULATED_SIGNAL /* for wasi-libc's raise() */
#include "single.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void __wasport_stuck(const char *call)
{
	fflush(NULL);
	fprintf(stderr, "%s would wait for ever: the program has one thread\n", call);
	__builtin_trap();
}

int __wasport_time_out(clockid_t clock, const struct timespec *at)
{
	if (at->tv_nsec < 0 || at->tv_nsec >= 1000000000)
		return EINVAL;
	while (clock_nanosleep(clock, TIMER_ABSTIME, at, NULL) == EINTR)
		;
	return ETIMEDOUT;
}

/* The one thread. wasi-libc has the type of pointers to this. */
static struct __pthread {
	char name[16];
	bool detached, cancelled;
	int state, type; /* of cancellation */
	struct __ptcb *cleanup;
} self = {.name = "main"};

WEAK pthread_t pthread_self(void)
{
	return &self;
}

WEAK int(pthread_equal)(pthread_t a, pthread_t b)
{
	return a == b;
}

WEAK int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attr,
    void *(*start)(void *), void *restrict arg)
{
	(void)thread, (void)attr, (void)start, (void)arg;
	return EAGAIN;
}

WEAK int pthread_join(pthread_t thread, void **value)
{
	(void)value;
	if (thread != &self)
		return ESRCH;
	return self.detached ? EINVAL : EDEADLK;
}

WEAK int pthread_detach(pthread_t thread)
{
	if (thread != &self)
		return ESRCH;
	if (self.detached)
		return EINVAL;
	self.detached = true;
	return 0;
}

HIDDEN void __wasport_destroy_values(void);

WEAK void pthread_exit(void *value)
{
	(void)value;
	while (self.cleanup != NULL)
		_pthread_cleanup_pop(self.cleanup, 1);
	__wasport_destroy_values();
	exit(0); /* as with the last thread of a process (POSIX, pthread_exit) */
}

WEAK void _pthread_cleanup_push(struct __ptcb *entry, void (*f)(void *), void *arg)
{
	*entry = (struct __ptcb){.__f = f, .__x = arg, .__next = self.cleanup};
	self.cleanup = entry;
}

WEAK void _pthread_cleanup_pop(struct __ptcb *entry, int run)
{
	self.cleanup = entry->__next;
	if (run)
		entry->__f(entry->__x);
}

WEAK void pthread_testcancel(void)
{
	if (self.cancelled && self.state == PTHREAD_CANCEL_ENABLE)
		pthread_exit(PTHREAD_CANCELED);
}

WEAK int pthread_cancel(pthread_t thread)
{
	if (thread != &self)
		return ESRCH;
	self.cancelled = true;
	if (self.type == PTHREAD_CANCEL_ASYNCHRONOUS)
		pthread_testcancel();
	return 0;
}

WEAK int pthread_setcancelstate(int state, int *old)
{
	if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE)
		return EINVAL;
	if (old != NULL)
		*old = self.state;
	self.state = state;
	return 0;
}

WEAK int pthread_setcanceltype(int type, int *old)
{
	if (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS)
		return EINVAL;
	if (old != NULL)
		*old = self.type;
	self.type = type;
	return 0;
}

WEAK int pthread_kill(pthread_t thread, int number)
{
	if (thread != &self)
		return ESRCH;
	if (number < 0 || number >= _NSIG)
		return EINVAL;
	return number == 0 || raise(number) == 0 ? 0 : errno;
}

WEAK int pthread_getname_np(pthread_t thread, char *name, size_t size)
{
	if (thread != &self)
		return ESRCH;
	if (strlen(self.name) >= size)
		return ERANGE;
	strcpy(name, self.name);
	return 0;
}

WEAK int pthread_setname_np(pthread_t thread, const char *name)
{
	if (thread != &self)
		return ESRCH;
	if (strlen(name) >= sizeof self.name)
		return ERANGE;
	strcpy(self.name, name);
	return 0;
}

WEAK int pthread_getschedparam(
    pthread_t thread, int *restrict policy, struct sched_param *restrict param)
{
	if (thread != &self)
		return ESRCH;
	*policy = SCHED_OTHER;
	*param = (struct sched_param){0};
	return 0;
}

WEAK int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param)
{
	if (thread != &self)
		return ESRCH;
	if (policy != SCHED_OTHER)
		return EPERM;
	return param->sched_priority == 0 ? 0 : EINVAL;
}

WEAK int pthread_once(pthread_once_t *once, void (*f)(void))
{
	if (*once == PTHREAD_ONCE_INIT) {
		*once = PTHREAD_ONCE_INIT + 1;
		f();
	}
	return 0;
}

/* There is no fork that could call these. */
WEAK int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	(void)prepare, (void)parent, (void)child;
	return 0;
}
#endif
