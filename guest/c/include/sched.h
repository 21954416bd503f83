/* <sched.h>: wasi-libc's, with priorities, of which a module has one. */
#ifndef WASPORT_SCHED_H
#define WASPORT_SCHED_H

#ifdef _REENTRANT
#include_next <sched.h>
#else
/* wasi-libc has this structure since 2024. */
#define sched_param __wasi_libc_sched_param
#include_next <sched.h>
#undef sched_param

struct sched_param {
	int sched_priority;
};
#endif

#ifndef SCHED_OTHER
#define SCHED_OTHER 0
#define SCHED_FIFO 1
#define SCHED_RR 2
#endif

#ifdef __cplusplus
extern "C" {
#endif

int sched_get_priority_max(int);
int sched_get_priority_min(int);

#ifdef __cplusplus
}
#endif

#endif
