#include "sock.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_LINKS = 40 };

/* The resolved part of a path, which never ends in a slash, and the rest of the path. */
struct walk {
	char done[PATH_MAX], left[PATH_MAX];
	size_t len;
	int links;
};

/* Puts the target of a link before the rest. */
static int32_t follow_link(struct walk *w, const char *target, size_t size)
{
	size_t rest = strlen(w->left);

	if (++w->links > MAX_LINKS)
		return ELOOP;
	if (size + 1 + rest >= sizeof w->left)
		return ENAMETOOLONG;
	memmove(w->left + size + 1, w->left, rest + 1);
	memcpy(w->left, target, size);
	w->left[size] = '/';
	return 0;
}

/* Resolves the first component of the rest. */
static int32_t resolve_component(struct walk *w)
{
	char target[PATH_MAX];
	size_t part = strcspn(w->left, "/"), before = w->len;
	ssize_t size;

	if (part == 2 && memcmp(w->left, "..", 2) == 0) {
		while (w->len > 0 && w->done[--w->len] != '/')
			;
	} else if (part > 0 && !(part == 1 && w->left[0] == '.')) {
		if (w->len + 1 + part >= sizeof w->done)
			return ENAMETOOLONG;
		w->done[w->len] = '/';
		memcpy(w->done + w->len + 1, w->left, part);
		w->len += 1 + part;
	}
	w->done[w->len] = '\0';
	part += w->left[part] == '/';
	memmove(w->left, w->left + part, strlen(w->left + part) + 1);
	if (w->len <= before)
		return 0;
	/* A component that is no link, or lies above the preopened directories, stays as it is. */
	size = readlink(w->done, target, sizeof target);
	if (size < 0)
		return 0;
	w->len = size > 0 && target[0] == '/' ? 0 : before;
	w->done[w->len] = '\0';
	return follow_link(w, target, (size_t)size);
}

static int32_t resolve_path(struct walk *w, const char *path)
{
	struct stat st;
	size_t len = strlen(path);
	int32_t err = 0;

	if (*path == '\0')
		return ENOENT;
	if (len >= sizeof w->left)
		return ENAMETOOLONG;
	/* The host reports a missing component, or one that is no directory. */
	if (stat(path, &st) != 0)
		return errno;
	w->len = 0;
	w->links = 0;
	if (*path != '/') {
		if (getcwd(w->done, sizeof w->done) == NULL)
			return errno;
		w->len = strlen(w->done);
		while (w->len > 0 && w->done[w->len - 1] == '/')
			w->len--;
	}
	w->done[w->len] = '\0';
	memcpy(w->left, path, len + 1);
	while (err == 0 && w->left[0] != '\0')
		err = resolve_component(w);
	if (err == 0 && w->len == 0)
		strcpy(w->done, "/");
	return err;
}

char *realpath(const char *restrict path, char *restrict to)
{
	struct walk *w;
	int32_t err;

	if (path == NULL) {
		errno = EINVAL;
		return NULL;
	}
	w = malloc(sizeof *w);
	if (w == NULL)
		return NULL;
	err = resolve_path(w, path);
	if (err != 0) {
		errno = err;
		to = NULL;
	} else if (to == NULL) {
		to = strdup(w->done);
	} else {
		strcpy(to, w->done);
	}
	free(w);
	return to;
}
