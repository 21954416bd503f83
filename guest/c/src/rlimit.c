#define _WASI_EMULATED_PROCESS_CLOCKS /* wasi-libc's <sys/resource.h> is an error without it */
#include "sock.h"

#include <sys/resource.h>

/* Symbols of wasm-ld, of which only the addresses count: the begin and the end of the program's
 * variables, and the end of the memory that it lays out. */
extern unsigned char __global_base, __data_end, __heap_base;

enum { DESCRIPTORS = 8192, LOWEST_BASE = 1024 };

static struct rlimit limits[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_FSIZE] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_DATA] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_RSS] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_NPROC] = {1, 1},
	[RLIMIT_NOFILE] = {DESCRIPTORS, DESCRIPTORS},
	[RLIMIT_MEMLOCK] = {RLIM_INFINITY, RLIM_INFINITY},
	[RLIMIT_AS] = {RLIM_INFINITY, RLIM_INFINITY},
};

static rlim_t stack_size(void)
{
	/* The stack lies below the variables (--stack-first), or above them. */
	if (&__global_base > (unsigned char *)LOWEST_BASE)
		return (rlim_t)(uintptr_t)&__global_base;
	return (rlim_t)(&__heap_base - &__data_end);
}

static struct rlimit *find_limit(int resource)
{
	if (resource < 0 || resource >= RLIM_NLIMITS)
		return NULL;
	if (resource == RLIMIT_STACK && limits[resource].rlim_max == 0)
		limits[resource].rlim_cur = limits[resource].rlim_max = stack_size();
	return &limits[resource];
}

int getrlimit(int resource, struct rlimit *to)
{
	const struct rlimit *now = find_limit(resource);

	if (now == NULL || to == NULL)
		return result(now == NULL ? EINVAL : EFAULT);
	*to = *now;
	return 0;
}

int setrlimit(int resource, const struct rlimit *from)
{
	struct rlimit *now = find_limit(resource);

	if (now == NULL || from == NULL)
		return result(now == NULL ? EINVAL : EFAULT);
	if (from->rlim_cur > from->rlim_max)
		return result(EINVAL);
	if (from->rlim_max > now->rlim_max)
		return result(EPERM);
	*now = *from;
	return 0;
}
