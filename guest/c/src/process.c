#define _WASI_EMULATED_PROCESS_CLOCKS /* wasi-libc's <sys/resource.h> is an error without it */
#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* WASI has no processes: nothing can be started, so there is nothing to wait for. A program may
 * define some of these itself. */
#define WEAK __attribute__((__weak__))

static int unsupported(void)
{
	errno = ENOSYS;
	return -1;
}

WEAK pid_t fork(void)
{
	return unsupported();
}

WEAK pid_t vfork(void)
{
	return unsupported();
}

WEAK int execve(const char *path, char *const args[], char *const env[])
{
	(void)path, (void)args, (void)env;
	return unsupported();
}

WEAK int execv(const char *path, char *const args[])
{
	(void)path, (void)args;
	return unsupported();
}

WEAK int execvp(const char *file, char *const args[])
{
	(void)file, (void)args;
	return unsupported();
}

WEAK int execl(const char *path, const char *arg, ...)
{
	(void)path, (void)arg;
	return unsupported();
}

WEAK int execle(const char *path, const char *arg, ...)
{
	(void)path, (void)arg;
	return unsupported();
}

WEAK int execlp(const char *file, const char *arg, ...)
{
	(void)file, (void)arg;
	return unsupported();
}

WEAK pid_t wait(int *status)
{
	(void)status;
	return unsupported();
}

WEAK pid_t waitpid(pid_t id, int *status, int options)
{
	(void)id, (void)status, (void)options;
	return unsupported();
}

WEAK pid_t wait3(int *status, int options, struct rusage *usage)
{
	(void)status, (void)options, (void)usage;
	return unsupported();
}

WEAK pid_t wait4(pid_t id, int *status, int options, struct rusage *usage)
{
	(void)id, (void)status, (void)options, (void)usage;
	return unsupported();
}

WEAK pid_t setsid(void)
{
	return unsupported();
}

WEAK int setpgid(pid_t id, pid_t group)
{
	(void)id, (void)group;
	return unsupported();
}

WEAK pid_t tcgetpgrp(int fd)
{
	(void)fd;
	return unsupported();
}

WEAK int tcsetpgrp(int fd, pid_t group)
{
	(void)fd, (void)group;
	return unsupported();
}
