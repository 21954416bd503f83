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
 * The stack's limit is its size, the one of descriptors what the host has by default; there are no
 * processes to start, and no core dumps. The rest is without a limit that a module could know. What
 * is set is remembered and limits nothing: the host's limits are its own.
 */
int getrlimit(int, struct rlimit *);
int setrlimit(int, const struct rlimit *);

#ifdef __cplusplus
}
#endif
#endif

#endif
