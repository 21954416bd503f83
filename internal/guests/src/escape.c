/*
 * escape PATH...: tries to reach each path through the first preopened directory, in every way
 * there is, and prints the errno of each. A PATH of the form TARGET=>NAME makes a symbolic link
 * first.
 */
#include "guest.h"
#include <wasi/api.h>

enum { DIR_FD = 3 };

static void say(const char *call, const char *path, __wasi_errno_t err)
{
	printf("%s %s %d %s\n", call, path, err, errno_name(err));
}

static void attempt(const char *path)
{
	__wasi_fd_t fd = 0;
	__wasi_filestat_t stat;
	__wasi_size_t n = 0;
	uint8_t buf[256];
	const __wasi_rights_t rights = __WASI_RIGHTS_FD_READ;
	__wasi_errno_t err;

	err = __wasi_path_open(DIR_FD, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, 0, rights, 0, 0, &fd);
	say("open", path, err);
	if (err == 0) {
		__wasi_iovec_t iov = {buf, sizeof buf - 1};
		if (__wasi_fd_read(fd, &iov, 1, &n) == 0) {
			buf[n] = '\0';
			printf("content %s\n", buf);
		}
		say("close", path, __wasi_fd_close(fd));
	}
	err = __wasi_path_open(DIR_FD, 0, path, __WASI_OFLAGS_DIRECTORY, rights, 0, 0, &fd);
	say("opendir", path, err);
	if (err == 0)
		say("close", path, __wasi_fd_close(fd));
	err = __wasi_path_open(DIR_FD, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path,
	    __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, __WASI_RIGHTS_FD_WRITE, 0, 0, &fd);
	say("create", path, err);
	if (err == 0)
		say("close", path, __wasi_fd_close(fd));
	say("stat", path,
	    __wasi_path_filestat_get(DIR_FD, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, &stat));
	say("times", path,
	    __wasi_path_filestat_set_times(DIR_FD, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, 0, 0,
	        __WASI_FSTFLAGS_ATIM_NOW | __WASI_FSTFLAGS_MTIM_NOW));
	say("readlink", path, __wasi_path_readlink(DIR_FD, path, buf, sizeof buf, &n));
	say("mkdir", path, __wasi_path_create_directory(DIR_FD, path));
	say("symlink", path, __wasi_path_symlink("x", DIR_FD, path));
	say("link from", path, __wasi_path_link(DIR_FD, 0, path, DIR_FD, "escaped-link"));
	say("link to", path, __wasi_path_link(DIR_FD, 0, "inside", DIR_FD, path));
	say("rename to", path, __wasi_path_rename(DIR_FD, "inside", DIR_FD, path));
	say("rename from", path, __wasi_path_rename(DIR_FD, path, DIR_FD, "escaped-rename"));
	say("rmdir", path, __wasi_path_remove_directory(DIR_FD, path));
	say("unlink", path, __wasi_path_unlink_file(DIR_FD, path));
}

int main(int argc, char **argv)
{
	set_line_buffering();
	if (argc < 2)
		usage("escape PATH... (TARGET=>NAME makes a symbolic link)");
	for (int i = 1; i < argc; i++) {
		char *arrow = strstr(argv[i], "=>");
		if (arrow == NULL) {
			attempt(argv[i]);
			continue;
		}
		*arrow = '\0';
		say("link", arrow + 2, __wasi_path_symlink(argv[i], DIR_FD, arrow + 2));
	}
	return 0;
}
