#define _WASI_EMULATED_GETPID
#include "sock.h"

#include <unistd.h>

enum { GUEST_ID = 1000, INIT_PID = 1 };

uid_t getuid(void)
{
	return GUEST_ID;
}

uid_t geteuid(void)
{
	return GUEST_ID;
}

gid_t getgid(void)
{
	return GUEST_ID;
}

gid_t getegid(void)
{
	return GUEST_ID;
}

/* There are no supplementary groups. */
int getgroups(int count, gid_t list[])
{
	(void)list;
	return result(count < 0 ? EINVAL : 0);
}

static int change_id(unsigned id)
{
	return result(id == GUEST_ID ? 0 : id == (unsigned)-1 ? EINVAL : EPERM);
}

int setuid(uid_t id)
{
	return change_id(id);
}

int seteuid(uid_t id)
{
	return change_id(id);
}

int setgid(gid_t id)
{
	return change_id(id);
}

int setegid(gid_t id)
{
	return change_id(id);
}

int chroot(const char *path)
{
	(void)path;
	return result(EPERM);
}

int getpagesize(void)
{
	return (int)sysconf(_SC_PAGESIZE);
}

pid_t getpgrp(void)
{
	return getpid();
}

pid_t getppid(void)
{
	return INIT_PID;
}
