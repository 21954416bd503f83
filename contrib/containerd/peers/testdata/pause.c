/* pause: waits until a signal ends it, as the program of a pod's sandbox. */
#include <signal.h>
#include <unistd.h>

static void end(int signal)
{
	(void)signal;
	_exit(0);
}

int main(void)
{
	signal(SIGTERM, end); /* process 1 of a namespace has no default (pid_namespaces(7)) */
	for (;;)
		pause();
}
