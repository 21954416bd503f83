#include "sock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

enum { MARKS = 6, ATTEMPTS = 100 };

/* Returns the XXXXXX at the end of a template, or NULL if there is none (mkstemp(3)). */
static char *marks(char *template)
{
	size_t len = strlen(template);

	if (len >= MARKS && memcmp(template + len - MARKS, "XXXXXX", MARKS) == 0)
		return template + len - MARKS;
	errno = EINVAL;
	return NULL;
}

static bool fill(char *at)
{
	static const char letters[] =
	    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
	uint8_t random[MARKS];

	if (result(__wasi_random_get(random, sizeof random)) != 0)
		return false;
	for (int i = 0; i < MARKS; i++)
		at[i] = letters[random[i] % (sizeof letters - 1)];
	return true;
}

int mkostemp(char *template, int flags)
{
	char *at = marks(template);

	for (int i = 0; at != NULL && i < ATTEMPTS && fill(at); i++) {
		int fd = open(template, flags | O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			break;
	}
	if (at != NULL)
		memset(at, 'X', MARKS);
	return -1;
}

int mkstemp(char *template)
{
	return mkostemp(template, 0);
}

char *mkdtemp(char *template)
{
	char *at = marks(template);

	for (int i = 0; at != NULL && i < ATTEMPTS && fill(at); i++) {
		if (mkdir(template, 0700) == 0)
			return template;
		if (errno != EEXIST)
			break;
	}
	if (at != NULL)
		memset(at, 'X', MARKS);
	return NULL;
}

FILE *tmpfile(void)
{
	char name[] = "/tmp/tmpfile-XXXXXX";
	int fd = mkstemp(name);
	FILE *f;

	if (fd < 0)
		return NULL;
	unlink(name);
	f = fdopen(fd, "w+");
	if (f == NULL)
		close(fd);
	return f;
}
