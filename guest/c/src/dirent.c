/*
 * Directory streams. wasi-libc's have the host's 64-bit cookies for positions, of which telldir
 * returns the lower 32 bits: on ext4, for example, they lead back to the start. Here a position is
 * the index of a cookie that telldir has kept. All functions that know the structure are here, so
 * that the linker takes none of wasi-libc's.
 */
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wasi/api.h>

/* The room for entries at first. It grows if one does not fit. */
enum { FIRST_ROOM = 4096 };

struct _DIR {
	int fd;
	__wasi_dircookie_t cookie; /* of the next entry that readdir returns */
	char *buffer; /* entries as the host wrote them: size bytes, of which used are there */
	size_t size, used, at;
	struct dirent *entry; /* the one that readdir returned last, of room bytes */
	size_t room;
	__wasi_dircookie_t *told; /* cookies, by the indices that telldir returned */
	size_t told_count, told_room;
};

DIR *fdopendir(int fd)
{
	DIR *d = calloc(1, sizeof *d);
	__wasi_size_t used = 0;
	__wasi_errno_t err = 0;

	if (d == NULL)
		return NULL;
	d->fd = fd;
	d->size = FIRST_ROOM;
	d->buffer = malloc(d->size);
	if (d->buffer == NULL)
		err = ENOMEM;
	else /* Fails unless it is a directory. */
		err = __wasi_fd_readdir(fd, (uint8_t *)d->buffer, d->size, d->cookie, &used);
	if (err != 0) {
		free(d->buffer);
		free(d);
		errno = err;
		return NULL;
	}
	d->used = used;
	return d;
}

int fdclosedir(DIR *d)
{
	int fd = d->fd;
	free(d->buffer);
	free(d->entry);
	free(d->told);
	free(d);
	return fd;
}

int closedir(DIR *d)
{
	return close(fdclosedir(d));
}

int dirfd(DIR *d)
{
	return d->fd;
}

/* Reads entries from the cookie on. */
static __wasi_errno_t fill(DIR *d)
{
	__wasi_size_t used = 0;
	__wasi_errno_t err =
	    __wasi_fd_readdir(d->fd, (uint8_t *)d->buffer, d->size, d->cookie, &used);
	d->used = err == 0 ? used : 0;
	d->at = 0;
	return err;
}

static __wasi_errno_t grow(DIR *d, size_t size)
{
	char *buffer = realloc(d->buffer, size);
	if (buffer == NULL)
		return ENOMEM;
	d->buffer = buffer;
	d->size = size;
	return 0;
}

/* Finds the next entry in the buffer. Its name is NULL at the end of the directory. */
static __wasi_errno_t next(DIR *d, __wasi_dirent_t *e, const char **name)
{
	for (;;) {
		size_t left = d->used - d->at;
		__wasi_errno_t err = 0;

		*name = NULL;
		if (left >= sizeof *e) {
			memcpy(e, d->buffer + d->at, sizeof *e);
			*name = d->buffer + d->at + sizeof *e;
			if (left - sizeof *e >= e->d_namlen)
				return 0;
			if (d->at == 0)
				err = grow(d, 2 * (sizeof *e + e->d_namlen));
		} else if (d->used < d->size) {
			return 0;
		}
		*name = NULL;
		if (err == 0)
			err = fill(d);
		if (err != 0)
			return err;
	}
}

struct dirent *readdir(DIR *d)
{
	__wasi_dirent_t e;
	const char *name;
	__wasi_errno_t err = next(d, &e, &name);
	size_t size;

	if (err != 0) {
		errno = err;
		return NULL;
	}
	if (name == NULL)
		return NULL;
	size = offsetof(struct dirent, d_name) + e.d_namlen + 1;
	if (size > d->room) {
		struct dirent *entry = realloc(d->entry, size);
		if (entry == NULL)
			return NULL;
		d->entry = entry;
		d->room = size;
	}
	d->entry->d_ino = e.d_ino;
	d->entry->d_type = e.d_type;
	memcpy(d->entry->d_name, name, e.d_namlen);
	d->entry->d_name[e.d_namlen] = '\0';
	d->at += sizeof e + e.d_namlen;
	d->cookie = e.d_next;
	return d->entry;
}

/* Empties the buffer, so that the next readdir asks the host. */
static void go_to(DIR *d, __wasi_dircookie_t cookie)
{
	d->cookie = cookie;
	d->at = d->used = d->size;
}

void rewinddir(DIR *d)
{
	go_to(d, 0);
	d->told_count = 0;
}

long telldir(DIR *d)
{
	if (d->told_count > 0 && d->told[d->told_count - 1] == d->cookie)
		return (long)d->told_count;
	if (d->told_count == d->told_room) {
		size_t room = d->told_room > 0 ? 2 * d->told_room : 16;
		__wasi_dircookie_t *told = realloc(d->told, room * sizeof *told);
		if (told == NULL)
			return -1;
		d->told = told;
		d->told_room = room;
	}
	d->told[d->told_count++] = d->cookie;
	return (long)d->told_count;
}

void seekdir(DIR *d, long position)
{
	if (position > 0 && (size_t)position <= d->told_count)
		go_to(d, d->told[position - 1]);
}
