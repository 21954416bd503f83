/* Positions in a directory: telldir, seekdir, rewinddir. File systems with hashed names, such as
 * ext4, have cookies of 64 bits. */
#include "transcript.h"

#include <dirent.h>
#include <sys/stat.h>

enum { FILES = 300 };

static char names[FILES + 2][32], dir[] = "/tmp/seekdir-XXXXXX";
static long positions[FILES + 3];

static int list(DIR *d)
{
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL)
		n++;
	return n;
}

static void transcript(void)
{
	char path[64], longest[256];
	struct dirent *e;
	struct stat at_fd, at_path;
	int n = 0, right = 0;
	DIR *d;

	MUST(mkdtemp(dir) != NULL ? 0 : -1);
	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof path, "%s/file%d", dir, i);
		MUST(close((int)MUST(open(path, O_CREAT | O_WRONLY, 0600))));
	}
	d = opendir(dir);
	MUST(d != NULL ? 0 : -1);
	MUST(fstat(dirfd(d), &at_fd));
	MUST(stat(dir, &at_path));
	printf("dirfd is %s\n", at_fd.st_ino == at_path.st_ino ? "the directory" : "another");
	for (;;) {
		MUST(positions[n] = telldir(d));
		if (n == FILES + 2 || (e = readdir(d)) == NULL)
			break;
		memcpy(names[n], e->d_name, strnlen(e->d_name, sizeof names[0] - 1));
		n++;
	}
	printf("%d entries, then %s\n", n, readdir(d) == NULL ? "the end" : "another");

	for (int i = n - 1; i >= 0; i--) {
		seekdir(d, positions[i]);
		e = readdir(d);
		right += e != NULL && strcmp(e->d_name, names[i]) == 0;
	}
	printf("backwards %d right\n", right);
	right = 0;
	for (int i = 0; i < n; i += 7) {
		seekdir(d, positions[i]);
		for (int j = i; j < n && j < i + 3; j++)
			right += (e = readdir(d)) != NULL && strcmp(e->d_name, names[j]) == 0;
	}
	printf("forwards, three each, %d right\n", right);
	seekdir(d, positions[n]);
	printf("at the end %d\n", list(d));
	seekdir(d, positions[n / 2]);
	printf("in the middle %d\n", list(d));

	/* A position stays when files before it are removed. */
	seekdir(d, positions[200]);
	for (int i = 0; i < 100; i++)
		if (names[i][0] != '.')
			MUST(unlinkat(dirfd(d), names[i], 0));
	seekdir(d, positions[200]);
	e = readdir(d);
	printf("after removals %s\n",
	    e != NULL && strcmp(e->d_name, names[200]) == 0 ? "right" : "wrong");
	rewinddir(d);
	printf("from the start %s\n", list(d) < n ? "fewer" : "as many");
	TRY(closedir(d));

	d = fdopendir((int)MUST(open(dir, O_RDONLY | O_DIRECTORY)));
	printf("by a descriptor %s\n", d != NULL && list(d) > 100 ? "all" : "none");
	closedir(d);
	n = (int)MUST(open("/tmp", O_RDONLY | O_DIRECTORY));
	close(n);
	TRY(fdopendir(n) == NULL ? -1 : 0);

	/* The longest name, in a directory that is listed on. */
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	n = (int)MUST(open(dir, O_RDONLY | O_DIRECTORY));
	MUST(close((int)MUST(openat(n, longest, O_CREAT | O_WRONLY, 0600))));
	d = fdopendir(n);
	while ((e = readdir(d)) != NULL && e->d_name[0] != 'x')
		;
	printf("a name of %d bytes\n", e != NULL ? (int)strlen(e->d_name) : 0);
	rewinddir(d);
	while ((e = readdir(d)) != NULL)
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	TRY(rmdir(dir));
}
