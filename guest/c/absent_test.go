package guestc_test

import (
	"os"
	"path/filepath"
	"testing"
)

// absentC is a program that calls functions which a module cannot have, and prints their results.
const absentC = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <unistd.h>

#define SHOW(call) (errno = 0, printf("%s = %d %s\n", #call, (int)(call), strerror(errno)))

int main(void)
{
	struct rusage usage = {.ru_maxrss = 1};
	struct statfs fs;
	struct winsize size;
	char name[64];

	SHOW(dlopen("libm.so", RTLD_NOW) == NULL);
	printf("%s\n", dlerror());
	SHOW(dlerror() == NULL);
	SHOW(dlsym(RTLD_DEFAULT, "main") == NULL);
	SHOW(getrusage(RUSAGE_SELF, &usage));
	printf("%d\n", usage.ru_utime.tv_sec < 1000 && usage.ru_maxrss == 0);
	SHOW(getrusage(77, &usage));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(setpriority(PRIO_PROCESS, 0, 7));
	SHOW(getpriority(PRIO_PROCESS, getpid()));
	SHOW(setpriority(PRIO_PROCESS, 0, 6));
	SHOW(getpriority(PRIO_PROCESS, 12345));
	SHOW(getpriority(77, 0));
	SHOW(statfs("/", &fs));
	SHOW(fstatfs(0, &fs));
	SHOW(lchown("/", 0, 0));
	SHOW(ttyname_r(77, name, sizeof name) == EBADF);
	SHOW(ptsname(77) == NULL);
	SHOW(ioctl(77, TIOCGWINSZ, &size));
	return 0;
}
`

const absentPrints = `dlopen("libm.so", RTLD_NOW) == NULL = 1 Success
a WebAssembly module cannot load others
dlerror() == NULL = 1 Success
dlsym(RTLD_DEFAULT, "main") == NULL = 1 Success
getrusage(RUSAGE_SELF, &usage) = 0 Success
1
getrusage(77, &usage) = -1 Invalid argument
getpriority(PRIO_PROCESS, 0) = 0 Success
setpriority(PRIO_PROCESS, 0, 7) = 0 Success
getpriority(PRIO_PROCESS, getpid()) = 7 Success
setpriority(PRIO_PROCESS, 0, 6) = -1 Permission denied
getpriority(PRIO_PROCESS, 12345) = -1 No such process
getpriority(77, 0) = -1 Invalid argument
statfs("/", &fs) = -1 Function not implemented
fstatfs(0, &fs) = -1 Function not implemented
lchown("/", 0, 0) = -1 Not supported
ttyname_r(77, name, sizeof name) == EBADF = 1 Bad file descriptor
ptsname(77) == NULL = 1 Bad file descriptor
ioctl(77, TIOCGWINSZ, &size) = -1 Bad file descriptor
`

// TestAbsent calls functions that exist for programs that can do without them.
func TestAbsent(t *testing.T) {
	needCompiler(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	wasport, dir := filepath.Join(buildWasport(t), "wasport"), t.TempDir()
	source, module := filepath.Join(dir, "absent.c"), filepath.Join(dir, "absent.wasm")
	if err := os.WriteFile(source, []byte(absentC), 0o600); err != nil {
		t.Fatal(err)
	}
	runProgram(t, nil, wasport, "cc", "-Wall", "-Wextra", "-Werror", source, "-o", module)
	if got := runProgram(t, nil, wasport, "run", "--no-cache", module); got != absentPrints {
		t.Errorf("got %s, want %s", got, absentPrints)
	}
}
