#include "sock.h"

#include <sys/time.h>

int getitimer(int which, struct itimerval *now)
{
	(void)which, (void)now;
	return result(ENOSYS);
}

int setitimer(int which, const struct itimerval *restrict next, struct itimerval *restrict was)
{
	(void)which, (void)next, (void)was;
	return result(ENOSYS);
}
