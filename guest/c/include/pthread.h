/* <pthread.h>: wasi-libc's if it has one. In a module without threads, all of it works for the one
 * thread that there is: pthread_create fails with EAGAIN, and a call that only another thread could
 * end traps, after a line on stderr that names the call. */
#ifndef WASPORT_PTHREAD_H
#define WASPORT_PTHREAD_H

#if defined(__has_include_next) && __has_include_next(<pthread.h>)
#if !defined(_REENTRANT) && !defined(_WASI_EMULATED_PTHREAD)
#define _WASI_EMULATED_PTHREAD /* else wasi-libc of 2024 declares no pthread_create */
#endif
#include_next <pthread.h>
#else
#include <__pthread.h>
#endif

#ifndef _REENTRANT
#include <sched.h>

#ifdef __cplusplus
extern "C" {
#endif

/* wasi-libc declares some of these for threads only. */
int pthread_create(pthread_t *__restrict, const pthread_attr_t *__restrict, void *(*)(void *),
    void *__restrict);
int pthread_join(pthread_t, void **);
int pthread_detach(pthread_t);
void pthread_exit(void *) __attribute__((__noreturn__));
int pthread_cancel(pthread_t);
int pthread_getschedparam(pthread_t, int *__restrict, struct sched_param *__restrict);
int pthread_setschedparam(pthread_t, int, const struct sched_param *);
int pthread_attr_getschedparam(const pthread_attr_t *__restrict, struct sched_param *__restrict);
int pthread_attr_setschedparam(pthread_attr_t *__restrict, const struct sched_param *__restrict);

#ifdef __cplusplus
}
#endif
#endif

#endif
