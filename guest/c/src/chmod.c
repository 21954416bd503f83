#include "sock.h"

#include <sys/stat.h>
#include <unistd.h>

/* A later wasi-libc has some of these beside functions that every program needs. */
#define WEAK __attribute__((__weak__))

WEAK int chmod(const char *path, mode_t mode)
{
	(void)path, (void)mode;
	return result(ENOTSUP);
}

WEAK int fchmod(int fd, mode_t mode)
{
	(void)fd, (void)mode;
	return result(ENOTSUP);
}

WEAK int mkfifo(const char *path, mode_t mode)
{
	return chmod(path, mode);
}

WEAK int chown(const char *path, uid_t owner, gid_t group)
{
	(void)path, (void)owner, (void)group;
	return result(ENOTSUP);
}

WEAK int lchown(const char *path, uid_t owner, gid_t group)
{
	return chown(path, owner, group);
}

WEAK int fchown(int fd, uid_t owner, gid_t group)
{
	(void)fd, (void)owner, (void)group;
	return result(ENOTSUP);
}
