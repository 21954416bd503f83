#include "sock.h"

#include <sys/stat.h>
#include <unistd.h>

int chmod(const char *path, mode_t mode)
{
	(void)path, (void)mode;
	return result(ENOTSUP);
}

int fchmod(int fd, mode_t mode)
{
	(void)fd, (void)mode;
	return result(ENOTSUP);
}

int mkfifo(const char *path, mode_t mode)
{
	return chmod(path, mode);
}

int chown(const char *path, uid_t owner, gid_t group)
{
	(void)path, (void)owner, (void)group;
	return result(ENOTSUP);
}

int lchown(const char *path, uid_t owner, gid_t group)
{
	return chown(path, owner, group);
}

int fchown(int fd, uid_t owner, gid_t group)
{
	(void)fd, (void)owner, (void)group;
	return result(ENOTSUP);
}
