#define _WASI_EMULATED_SIGNAL /* for wasi-libc's signal() and raise() */
#define _WASI_EMULATED_GETPID
#include "sock.h"

#include <signal.h>
#include <unistd.h>

int sigaction(int number, const struct sigaction *restrict act, struct sigaction *restrict old)
{
	void (*was)(int);

	if (number == 0) /* which wasi-libc's signal() accepts */
		return result(EINVAL);
	if (act != NULL && act->sa_flags & SA_SIGINFO)
		return result(ENOTSUP);
	was = signal(number, act != NULL ? act->sa_handler : SIG_DFL);
	if (was == SIG_ERR)
		return -1;
	if (act == NULL)
		signal(number, was);
	if (old != NULL)
		*old = (struct sigaction){.sa_handler = was};
	return 0;
}

int sigemptyset(sigset_t *set)
{
	*set = 0;
	return 0;
}

int sigfillset(sigset_t *set)
{
	*set = 0;
	return 0;
}

int sigaddset(sigset_t *set, int number)
{
	(void)set;
	return result(number > 0 && number < _NSIG ? 0 : EINVAL);
}

int sigdelset(sigset_t *set, int number)
{
	return sigaddset(set, number);
}

int sigismember(const sigset_t *set, int number)
{
	(void)set;
	return result(number > 0 && number < _NSIG ? 0 : EINVAL);
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
	if (set != NULL && how != SIG_BLOCK && how != SIG_UNBLOCK && how != SIG_SETMASK)
		return result(EINVAL);
	if (old != NULL)
		*old = 0;
	return 0;
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
	return sigprocmask(how, set, old) == 0 ? 0 : errno;
}

int kill(pid_t id, int number)
{
	if (number < 0 || number >= _NSIG)
		return result(EINVAL);
	if (id != 0 && id != -1 && id != getpid() && id != -getpid())
		return result(ESRCH);
	return number == 0 ? 0 : raise(number);
}

unsigned alarm(unsigned seconds)
{
	(void)seconds;
	return 0;
}
