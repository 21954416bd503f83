#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* The one user and group there is. Their strings are constants, so that the functions with _r need
 * no room. */
static char name[] = "user", none[] = "", root[] = "/", *members[] = {NULL};
static struct passwd user;
static struct group group;
static bool user_listed, group_listed;

static struct passwd *get_user(void)
{
	user = (struct passwd){name, none, getuid(), getgid(), none, root, none};
	return &user;
}

static struct group *get_group(void)
{
	group = (struct group){name, none, getgid(), members};
	return &group;
}

struct passwd *getpwnam(const char *wanted)
{
	return strcmp(wanted, name) == 0 ? get_user() : NULL;
}

struct passwd *getpwuid(uid_t id)
{
	return id == getuid() ? get_user() : NULL;
}

static int put_user(const struct passwd *found, struct passwd *to, struct passwd **result)
{
	*result = found != NULL ? to : NULL;
	if (found != NULL)
		*to = *found;
	return 0;
}

int getpwnam_r(
    const char *wanted, struct passwd *to, char *buf, size_t size, struct passwd **result)
{
	(void)buf, (void)size;
	return put_user(getpwnam(wanted), to, result);
}

int getpwuid_r(uid_t id, struct passwd *to, char *buf, size_t size, struct passwd **result)
{
	(void)buf, (void)size;
	return put_user(getpwuid(id), to, result);
}

struct passwd *getpwent(void)
{
	if (user_listed)
		return NULL;
	user_listed = true;
	return get_user();
}

void setpwent(void)
{
	user_listed = false;
}

void endpwent(void)
{
	user_listed = false;
}

struct group *getgrnam(const char *wanted)
{
	return strcmp(wanted, name) == 0 ? get_group() : NULL;
}

struct group *getgrgid(gid_t id)
{
	return id == getgid() ? get_group() : NULL;
}

static int put_group(const struct group *found, struct group *to, struct group **result)
{
	*result = found != NULL ? to : NULL;
	if (found != NULL)
		*to = *found;
	return 0;
}

int getgrnam_r(const char *wanted, struct group *to, char *buf, size_t size, struct group **result)
{
	(void)buf, (void)size;
	return put_group(getgrnam(wanted), to, result);
}

int getgrgid_r(gid_t id, struct group *to, char *buf, size_t size, struct group **result)
{
	(void)buf, (void)size;
	return put_group(getgrgid(id), to, result);
}

struct group *getgrent(void)
{
	if (group_listed)
		return NULL;
	group_listed = true;
	return get_group();
}

void setgrent(void)
{
	group_listed = false;
}

void endgrent(void)
{
	group_listed = false;
}

int setgroups(size_t count, const gid_t *list)
{
	(void)count, (void)list;
	errno = EPERM;
	return -1;
}

int initgroups(const char *of, gid_t id)
{
	(void)of, (void)id;
	errno = EPERM;
	return -1;
}
