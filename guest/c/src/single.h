/* What the files of <pthread.h> and <semaphore.h> share. They are for a module with one thread, and
 * empty where the compiler has -pthread: there the C library has threads, and its own. Programs may
 * define some of these functions themselves, so all of them are weak. */
#ifndef SINGLE_H
#define SINGLE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define WEAK __attribute__((__weak__))
#define HIDDEN __attribute__((__visibility__("hidden")))

/* Traps, after a line on stderr, in a call that only another thread could end. Returning an error
 * instead would turn the usual loop around pthread_cond_wait into one that never ends. */
HIDDEN _Noreturn void __wasport_stuck(const char *call);

/* Waits until a time of that clock, as nothing can happen before. Returns ETIMEDOUT, or EINVAL. */
HIDDEN int __wasport_time_out(clockid_t clock, const struct timespec *at);

/* Attributes have 0 or 1 for being shared between processes, of which there is one. */
static inline int set_binary(unsigned *attribute, int value)
{
	if (value != 0 && value != 1)
		return EINVAL;
	*attribute = value;
	return 0;
}

#endif
