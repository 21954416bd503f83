/* <sys/resource.h>: wasi-libc's, and limits. */
#include_next <sys/resource.h>

#ifndef WASPORT_SYS_RESOURCE_H
#define WASPORT_SYS_RESOURCE_H

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
