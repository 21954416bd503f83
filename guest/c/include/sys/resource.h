/* <sys/resource.h>: wasi-libc's, with limits, priorities, and all fields of struct rusage. */
#ifndef WASPORT_SYS_RESOURCE_H
#define WASPORT_SYS_RESOURCE_H

/* wasi-libc's structure has the times alone. */
#define rusage __wasi_libc_rusage
#define getrusage __wasi_libc_getrusage
#include_next <sys/resource.h>
#undef rusage
#undef getrusage

#define __NEED_id_t
#include <bits/alltypes.h>

#define PRIO_PROCESS 0
#define PRIO_PGRP 1
#define PRIO_USER 2

struct rusage {
	struct timeval ru_utime, ru_stime;
	/* These are 0: a module cannot know them. */
	long ru_maxrss, ru_ixrss, ru_idrss, ru_isrss, ru_minflt, ru_majflt, ru_nswap, ru_inblock,
	    ru_oublock, ru_msgsnd, ru_msgrcv, ru_nsignals, ru_nvcsw, ru_nivcsw;
};

#ifdef __cplusplus
extern "C" {
#endif

int getrusage(int, struct rusage *);

/* A priority is remembered, and has no effect. */
int getpriority(int, id_t);
int setpriority(int, id_t, int);

#ifdef __cplusplus
}
#endif

#ifndef RLIM_INFINITY

typedef unsigned long long rlim_t;

struct rlimit {
	rlim_t rlim_cur, rlim_max;
};

#define RLIM_INFINITY (~0ULL)
#define RLIM_SAVED_CUR RLIM_INFINITY
#define RLIM_SAVED_MAX RLIM_INFINITY

#define RLIMIT_CPU 0
#define RLIMIT_FSIZE 1
#define RLIMIT_DATA 2
#define RLIMIT_STACK 3
#define RLIMIT_CORE 4
#define RLIMIT_RSS 5
#define RLIMIT_NPROC 6
#define RLIMIT_NOFILE 7
#define RLIMIT_MEMLOCK 8
#define RLIMIT_AS 9
#define RLIM_NLIMITS 10

#ifdef __cplusplus
extern "C" {
#endif

/*
 * RLIMIT_STACK is the size of the stack, RLIMIT_NOFILE the host's default. RLIMIT_NPROC is 1 and
 * RLIMIT_CORE is 0, since a module starts no processes and dumps no core. All others are
 * RLIM_INFINITY, since a module cannot know the host's limits. setrlimit stores limits, which have
 * no effect.
 */
int getrlimit(int, struct rlimit *);
int setrlimit(int, const struct rlimit *);

#ifdef __cplusplus
}
#endif
#endif

#endif
