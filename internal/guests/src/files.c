/* files DIR: works in a preopened directory that is empty, and leaves it so. */
#include "guest.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static char at[4096];

static const char *in(const char *dir, const char *name)
{
	snprintf(at, sizeof at, "%s/%s", dir, name);
	return at;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void list(const char *dir)
{
	char names[16][64];
	size_t count = 0;
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		fail("opendir");
	while ((e = readdir(d)) != NULL && count < 16)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			snprintf(
			    names[count++], sizeof *names, "%s%s", e->d_name, e->d_type == DT_DIR ? "/" : "");
	closedir(d);
	qsort(names, count, sizeof *names, compare);
	printf("list");
	for (size_t i = 0; i < count; i++)
		printf(" %s", names[i]);
	printf("\n");
}

/* WASI has neither locks, permissions nor owners of files. */
static bool lacks(int result)
{
	return result == -1 && errno == ENOTSUP;
}

int main(int argc, char **argv)
{
	char buf[64] = {0}, other[4096];
	struct stat st;
	struct flock lock = {.l_type = F_WRLCK};

	set_line_buffering();
	if (argc != 2)
		usage("files DIR");
	const char *dir = argv[1];

	int fd = open(in(dir, "a.txt"), O_RDWR | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		fail("create");
	check(write(fd, "hello, world", 12) == 12, "write");
	check(lseek(fd, 7, SEEK_SET) == 7, "lseek");
	check(read(fd, buf, 5) == 5 && strcmp(buf, "world") == 0, "read");
	check(pread(fd, buf, 5, 0) == 5 && strcmp(buf, "hello") == 0, "pread");
	check(pwrite(fd, "HE", 2, 0) == 2, "pwrite");
	check(ftruncate(fd, 5) == 0 && fstat(fd, &st) == 0 && st.st_size == 5, "ftruncate");
	check(fsync(fd) == 0, "fsync");
	check((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR, "F_GETFL");
	check(lacks(fcntl(fd, F_SETLK, &lock)), "F_SETLK");
	check(lacks(fchmod(fd, 0600)) && lacks(chmod(dir, 0700)), "modes");
	check(lacks(fchown(fd, 1, 1)) && lacks(chown(dir, 1, 1)), "owners");
	close(fd);
	check(
	    open(in(dir, "a.txt"), O_RDWR | O_CREAT | O_EXCL, 0644) == -1 && errno == EEXIST, "O_EXCL");
	check(open(in(dir, "none"), O_RDONLY) == -1 && errno == ENOENT, "no such file");
	printf("file ok\n");

	fd = open(in(dir, "a.txt"), O_WRONLY | O_APPEND);
	check(fd >= 0 && write(fd, "!", 1) == 1, "append");
	close(fd);
	FILE *f = fopen(in(dir, "a.txt"), "r");
	check(f != NULL && fgets(buf, sizeof buf, f) != NULL, "fgets");
	fclose(f);
	printf("content %s\n", buf);

	check(mkdir(in(dir, "sub"), 0755) == 0, "mkdir");
	list(dir);

	strcpy(other, in(dir, "sub/b.txt"));
	check(rename(in(dir, "a.txt"), other) == 0, "rename");
	check(rmdir(in(dir, "sub")) == -1 && errno == ENOTEMPTY, "rmdir of a directory in use");
	check(unlink(in(dir, "sub")) == -1, "unlink of a directory");
	list(dir);
	printf("directory ok\n");

	check(symlink("sub/b.txt", in(dir, "link")) == 0, "symlink");
	memset(buf, 0, sizeof buf);
	check(readlink(in(dir, "link"), buf, sizeof buf) == 9 && strcmp(buf, "sub/b.txt") == 0,
	    "readlink");
	check(stat(in(dir, "link"), &st) == 0 && S_ISREG(st.st_mode), "stat follows");
	check(lstat(in(dir, "link"), &st) == 0 && S_ISLNK(st.st_mode), "lstat does not");
	list(dir);
	check(
	    unlink(other) == 0 && unlink(in(dir, "link")) == 0 && rmdir(in(dir, "sub")) == 0, "remove");
	list(dir);
	return 0;
}
