/* <limits.h>: wasi-libc's, with the limits of threads and semaphores, which it lacks without
 * threads. */
#include_next <limits.h>

#ifndef WASPORT_LIMITS_H
#define WASPORT_LIMITS_H

#ifndef PTHREAD_KEYS_MAX
#define PTHREAD_KEYS_MAX 128
#endif
#ifndef PTHREAD_STACK_MIN
#define PTHREAD_STACK_MIN 2048
#endif
#ifndef PTHREAD_DESTRUCTOR_ITERATIONS
#define PTHREAD_DESTRUCTOR_ITERATIONS 4
#endif
#ifndef SEM_VALUE_MAX
#define SEM_VALUE_MAX 0x7fffffff
#endif

#endif
