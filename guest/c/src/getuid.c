#include "sock.h"

#include <unistd.h>

enum { SOMEBODY = 1000, INIT = 1 };

uid_t getuid(void)
{
	return SOMEBODY;
}

uid_t geteuid(void)
{
	return SOMEBODY;
}

gid_t getgid(void)
{
	return SOMEBODY;
}

gid_t getegid(void)
{
	return SOMEBODY;
}

/* There are no supplementary groups. */
int getgroups(int count, gid_t list[])
{
	(void)list;
	return result(count < 0 ? EINVAL : 0);
}

static int become(unsigned id)
{
	return result(id == SOMEBODY ? 0 : id == (unsigned)-1 ? EINVAL : EPERM);
}

int setuid(uid_t id)
{
	return become(id);
}

int seteuid(uid_t id)
{
	return become(id);
}

int setgid(gid_t id)
{
	return become(id);
}

int setegid(gid_t id)
{
	return become(id);
}

pid_t getppid(void)
{
	return INIT;
}
