package ports_test

import (
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/guest/go/internal/guesttest"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/policy"
)

var programs *guesttest.Programs

func TestMain(m *testing.M) { os.Exit(guesttest.Main(m, &programs)) }

// programPath returns the package of a program.
func programPath(name string) string { return "./internal/programs/" + name }

// compareClient runs a program natively and as a guest, which must print the same. It then runs the
// guest without its rules, which must be refused.
func compareClient(t *testing.T, name, rules string, c wasport.Config, args ...string) {
	t.Helper()
	want := guesttest.NativeOutput(t, programs.Native(t, programPath(name)), c.Env, args...)
	module := programs.Guest(t, programPath(name))
	c.Args = append([]string{name}, args...)
	c.Policy = guesttest.Policy(t, rules)
	if got := guesttest.Output(t, module, c); got != want {
		t.Errorf("got (-) an output that differs from the native one, want (+):\n%s",
			testutil.Diff(got, want))
	}

	var mu sync.Mutex
	var refused []string
	c.Policy = nil
	c.OnRefusal = func(r *policy.Refusal) {
		mu.Lock()
		defer mu.Unlock()
		refused = append(refused, r.Error())
	}
	status, err := module.Run(t.Context(), c)
	if err != nil || status.Code == 0 || len(refused) == 0 {
		t.Errorf("without a rule got status %d, %v and %d refusals, want a failure and refusals",
			status.Code, err, len(refused))
	}
}

// forEachServer runs a test against a program that serves natively, and against it as a guest.
func forEachServer(t *testing.T, name string, c wasport.Config, args []string,
	run func(t *testing.T, addrs []string)) {
	t.Run("native server", func(t *testing.T) {
		cmd := exec.Command(programs.Native(t, programPath(name)), args...)
		run(t, guesttest.ServeNative(t, cmd))
	})
	t.Run("guest server", func(t *testing.T) {
		c.Args = append([]string{name}, args...)
		c.Policy = guesttest.Policy(t, "allow listen loopback")
		run(t, guesttest.Serve(t, programs.Guest(t, programPath(name)), c))
	})
}
