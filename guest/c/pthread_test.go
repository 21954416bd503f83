package guestc_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// stuckC is a program with one thread that waits for another one in the call that its argument
// names.
const stuckC = `
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void *start(void *arg)
{
	return arg;
}

int main(int argc, char **argv)
{
	const char *call = argc > 1 ? argv[1] : "";
	pthread_t thread;
	pthread_barrier_t barrier;
	pthread_spinlock_t spin;
	sem_t sem;

	printf("%s\n", strerror(pthread_create(&thread, NULL, start, NULL)));
	pthread_mutex_lock(&mutex);
	if (strcmp(call, "pthread_cond_wait") == 0) {
		pthread_cond_wait(&cond, &mutex);
	} else if (strcmp(call, "pthread_mutex_lock") == 0) {
		pthread_mutex_lock(&mutex);
	} else if (strcmp(call, "pthread_barrier_wait") == 0) {
		pthread_barrier_init(&barrier, NULL, 2);
		pthread_barrier_wait(&barrier);
	} else if (strcmp(call, "pthread_spin_lock") == 0) {
		pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
		pthread_spin_lock(&spin);
		pthread_spin_lock(&spin);
	} else if (strcmp(call, "sem_wait") == 0) {
		sem_init(&sem, 0, 0);
		sem_wait(&sem);
	}
	return 0;
}
`

// TestSingleThread compiles a program that has <pthread.h> without threads: it cannot start one,
// and traps where only another could end a call.
func TestSingleThread(t *testing.T) {
	needCompiler(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	wasport, dir := filepath.Join(buildWasport(t), "wasport"), t.TempDir()
	source, module := filepath.Join(dir, "stuck.c"), filepath.Join(dir, "stuck.wasm")
	if err := os.WriteFile(source, []byte(stuckC), 0o600); err != nil {
		t.Fatal(err)
	}
	runProgram(t, nil, wasport, "cc", "-Wall", "-Wextra", "-Werror", source, "-o", module)

	const created = "Resource temporarily unavailable\n" // EAGAIN
	run := []string{"run", "--no-cache", module}
	if got := runProgram(t, nil, wasport, run...); got != created {
		t.Errorf("got %q, want %q", got, created)
	}
	for _, call := range []string{"pthread_cond_wait", "pthread_mutex_lock",
		"pthread_barrier_wait", "pthread_spin_lock", "sem_wait"} {
		t.Run(call, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), wasport, append(run, call)...)
			out, err := cmd.CombinedOutput()
			want := created + call + " would wait for ever: the program has one thread\n" +
				"wasport: trap: unreachable\n"
			if cmd.ProcessState.ExitCode() != 126 || !strings.HasPrefix(string(out), want) {
				t.Errorf("got %v\n%s, want status 126 and\n%s…", err, out, want)
			}
		})
	}
}
