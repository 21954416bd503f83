/* Functions about the process that network programs call. */
#include "transcript.h"
#include <signal.h>
#include <sys/stat.h>

static volatile sig_atomic_t caught;

static void catch(int number)
{
	caught = number;
}

static void transcript(void)
{
	struct sigaction act = {.sa_handler = catch, .sa_flags = SA_RESTART}, was;
	sigset_t set;
	umask(022);

	TRY(sigemptyset(&act.sa_mask));
	TRY(sigaddset(&act.sa_mask, SIGHUP));
	TRY(sigaddset(&act.sa_mask, 0));
	TRY(sigaddset(&act.sa_mask, 1000));
	TRY(sigdelset(&act.sa_mask, SIGHUP));
	TRY(sigaction(SIGTERM, &act, &was));
	printf("handler was %s\n", was.sa_handler == SIG_DFL ? "SIG_DFL" : "another");
	TRY(raise(SIGTERM));
	printf("caught %s\n", caught == SIGTERM ? "it" : "nothing");
	act.sa_handler = SIG_IGN;
	TRY(sigaction(SIGTERM, &act, &was));
	printf("handler was %s\n", was.sa_handler == catch ? "ours" : "another");
	TRY(sigaction(SIGTERM, NULL, &was));
	printf("handler is %s\n", was.sa_handler == SIG_IGN ? "SIG_IGN" : "another");
	TRY(raise(SIGTERM));
	TRY(sigaction(0, &act, NULL));
	TRY(sigaction(1000, &act, NULL));
	TRY(sigaction(SIGKILL, &act, NULL));
	TRY(sigfillset(&set));
	TRY(sigprocmask(SIG_BLOCK, &set, NULL));
	TRY(sigprocmask(SIG_UNBLOCK, &set, NULL));
	TRY(sigprocmask(99, &set, NULL));
	TRY(sigprocmask(99, NULL, NULL));
	TRY(umask(0));
	TRY(umask(07777));
	TRY(umask(022));
	TRY(alarm(0));
	TRY(getpid() > 0);
}
