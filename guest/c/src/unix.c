#include "sock.h"

#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#if WASPORT_EXT

/* The directory that relative paths start from, if the program has code to change it. */
extern char *__wasilibc_cwd __attribute__((__weak__));

enum { AT_PATH = offsetof(struct sockaddr_un, sun_path) };
enum { MAX_PATH = sizeof((struct sockaddr_un *)0)->sun_path };

/* A path of sun_path, which need not end with a NUL, behind the directory that it starts from. */
struct unix_path {
	char text[512];
	size_t len;
};

static int32_t get_path(const struct sockaddr *sa, socklen_t len, struct unix_path *p)
{
	const char *path = ((const struct sockaddr_un *)sa)->sun_path;
	size_t size, cwd = 0;

	if (len <= AT_PATH || len > sizeof(struct sockaddr_un))
		return EINVAL;
	size = strnlen(path, len - AT_PATH < MAX_PATH ? len - AT_PATH : MAX_PATH);
	if (size == 0)
		return EACCES; /* an abstract name (unix(7)), which no rule allows */
	if (path[0] != '/' && &__wasilibc_cwd != NULL) {
		cwd = strlen(__wasilibc_cwd);
		if (cwd + 1 + size > sizeof p->text)
			return ENAMETOOLONG;
		memcpy(p->text, __wasilibc_cwd, cwd);
		p->text[cwd++] = '/';
	}
	memcpy(p->text + cwd, path, size);
	p->len = cwd + size;
	return 0;
}

int32_t __wasport_unix_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct unix_path p;
	int32_t err = get_path(sa, len, &p);
	return err ? err : wasport_sock_unix_bind(fd, p.text, p.len);
}

int32_t __wasport_unix_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct unix_path p;
	int32_t err = get_path(sa, len, &p);
	return err ? err : wasport_sock_unix_connect(fd, p.text, p.len);
}

bool __wasport_unix_address(int fd, bool peer, struct sockaddr *sa, socklen_t *len)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	uint32_t size;
	socklen_t whole;

	if (wasport_sock_unix_path(fd, peer, un.sun_path, MAX_PATH, &size) != 0)
		return false;
	whole = AT_PATH + (size != 0 ? size + 1 : 0);
	memcpy(sa, &un, *len < whole ? *len : whole);
	*len = whole;
	return true;
}

#endif
