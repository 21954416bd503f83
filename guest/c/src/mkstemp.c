#include "sock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

enum { SUFFIX_LEN = 6, ATTEMPTS = 100 };

/* Returns the XXXXXX at the end of a template, or NULL if there is none (mkstemp(3)). */
static char *find_suffix(char *template)
{
	size_t len = strlen(template);

	if (len >= SUFFIX_LEN && memcmp(template + len - SUFFIX_LEN, "XXXXXX", SUFFIX_LEN) == 0)
		return template + len - SUFFIX_LEN;
	errno = EINVAL;
	return NULL;
}

static bool fill_suffix(char *at)
{
	static const char letters[] =
	    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
	uint8_t random[SUFFIX_LEN];

	if (result(__wasi_random_get(random, sizeof random)) != 0)
		return false;
	for (int i = 0; i < SUFFIX_LEN; i++)
		at[i] = letters[random[i] % (sizeof letters - 1)];
	return true;
}

int mkostemp(char *template, int flags)
{
	char *at = find_suffix(template);

	for (int i = 0; at != NULL && i < ATTEMPTS && fill_suffix(at); i++) {
		int fd = open(template, flags | O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			break;
	}
	if (at != NULL)
		memset(at, 'X', SUFFIX_LEN);
	return -1;
}

int mkstemp(char *template)
{
	return mkostemp(template, 0);
}

char *mkdtemp(char *template)
{
	char *at = find_suffix(template);

	for (int i = 0; at != NULL && i < ATTEMPTS && fill_suffix(at); i++) {
		if (mkdir(template, 0700) == 0)
			return template;
		if (errno != EEXIST)
			break;
	}
	if (at != NULL)
		memset(at, 'X', SUFFIX_LEN);
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
