/* <signal.h>: wasi-libc's, with the declarations that it lacks. The only signals are those that a
 * program raises itself, so none is ever blocked or pending. */
#include_next <signal.h>

#ifndef WASPORT_SIGNAL_H
#define WASPORT_SIGNAL_H

#ifndef SA_RESTART
#include <__typedef_sigset_t.h>
#define __NEED_pid_t
#define __NEED_pthread_t
#define __NEED_uid_t
#include <bits/alltypes.h>

#define SA_NOCLDSTOP 1
#define SA_NOCLDWAIT 2
#define SA_SIGINFO 4
#define SA_ONSTACK 0x08000000
#define SA_RESTART 0x10000000
#define SA_NODEFER 0x40000000
#define SA_RESETHAND 0x80000000

#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#ifdef __cplusplus
extern "C" {
#endif

/* No signal comes with one. */
typedef struct {
	int si_signo, si_errno, si_code;
	pid_t si_pid;
	uid_t si_uid;
	void *si_addr;
	int si_status;
} siginfo_t;

struct sigaction {
	union {
		void (*sa_handler)(int);
		void (*sa_sigaction)(int, siginfo_t *, void *);
	} __sa_handler;
	sigset_t sa_mask;
	int sa_flags;
};
#define sa_handler __sa_handler.sa_handler
#define sa_sigaction __sa_handler.sa_sigaction

/* Works as signal(); sa_mask and sa_flags have no effect, but SA_SIGINFO fails with ENOTSUP. */
int sigaction(int, const struct sigaction *__restrict, struct sigaction *__restrict);

/* These check their arguments. */
int sigemptyset(sigset_t *);
int sigfillset(sigset_t *);
int sigaddset(sigset_t *, int);
int sigdelset(sigset_t *, int);
int sigismember(const sigset_t *, int);
int sigprocmask(int, const sigset_t *__restrict, sigset_t *__restrict);

/* Returns the error. */
int pthread_sigmask(int, const sigset_t *__restrict, sigset_t *__restrict);
#ifndef _REENTRANT
int pthread_kill(pthread_t, int); /* which is raise */
#endif

/* Raises a signal in the program itself. There is no other process: ESRCH. */
int kill(pid_t, int);

#ifdef __cplusplus
}
#endif
#endif

#endif
