package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOwnFunctionsAreENOSYS calls functions that need wasport's own imports in a module without
// them.
func TestOwnFunctionsAreENOSYS(t *testing.T) {
	b := newBuilder(t)
	source := filepath.Join(t.TempDir(), "program.c")
	err := os.WriteFile(source, []byte(`#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <resolv.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#define TRY(call) printf(#call ": %d\n", (call) == -1 && errno == ENOSYS)
int main(void)
{
	int fds[2];
	unsigned char reply[512];
	struct epoll_event e = {0};
	TRY(pipe(fds));
	TRY(pipe2(fds, 0));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	TRY(eventfd(0, 0));
	TRY(dup(1));
	TRY(dup2(1, 7));
	TRY(dup3(1, 7, 0));
	TRY(fcntl(1, F_DUPFD, 7));
	TRY(res_query("a.test", ns_c_in, ns_t_mx, reply, sizeof reply));
	TRY(epoll_create1(0));
	TRY(epoll_ctl(3, EPOLL_CTL_ADD, 1, &e));
	TRY(epoll_wait(3, &e, 1, 0));
}
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	rt := newRuntime(t)
	module := compileGuest(t, rt, b.buildModule(t, source, "-DWASPORT_EXT=0"))
	checkWAMRImports(t, module)
	got := runModule(t, module, nil, []string{"program"})
	if lines := strings.Count(got, "\n"); lines != 12 || strings.Count(got, ": 1\n") != lines {
		t.Errorf("got\n%swant ENOSYS of 12 calls", got)
	}
}
