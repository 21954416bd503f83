package engine

import (
	"context"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/component/canon"
	componentguests "github.com/wasport/wasport/internal/guests/components"
	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network/kernel"
)

// componentCompiler returns a function that compiles a component, each time anew.
func componentCompiler(t *testing.T, file string) func() *Component {
	t.Helper()
	wasm, err := componentguests.FS.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	e, err := New(ctx, Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(ctx) })
	return func() *Component {
		t.Helper()
		p, err := e.Compile(ctx, wasm, CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close(ctx) })
		return p.(*Component)
	}
}

// countCalls makes a component count the calls of the host's function with a name.
func countCalls(c *Component, name string) *int {
	n := new(int)
	for i := range c.hosts {
		if c.program.Hosts[i].Func != name {
			continue
		}
		counted := *c.hosts[i].function
		direct := counted.Direct
		counted.Direct = func(call *canon.Call, stack []uint64) error {
			*n++
			return direct(call, stack)
		}
		c.hosts[i].function = &counted
	}
	return n
}

// TestAnswersSaveCalls counts the calls of the host for pieces that a guest sends.
func TestAnswersSaveCalls(t *testing.T) {
	ctx := context.Background()
	compile := componentCompiler(t, "answers.wasm")
	at := testutil.StartServer(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	const pieces = 20
	for _, row := range []struct {
		without       []string
		checks, flush int
	}{
		// Nothing is known after the first write, which makes the function.
		{[]string{}, 2, 1},
		{[]string{"stream-answers"}, pieces, pieces},
	} {
		c := compile()
		checks, writes := countCalls(c, "[method]output-stream.check-write"),
			countCalls(c, "[method]output-stream.write")
		flushes := countCalls(c, "[method]output-stream.blocking-flush")
		sys, err := system.New(ctx, system.Config{Network: kernel.New(kernel.Config{}),
			Without: row.without, Stdout: io.Discard, Args: []string{"answers",
				at.Addr().String(), strconv.Itoa(int(at.Port())),
				strings.Repeat("c0w0F0", pieces)}})
		if err != nil {
			t.Fatal(err)
		}
		entry, _ := c.Entry("")
		if _, err = c.Run(sys, nil, &entry, nil, Limits{}); err != nil {
			t.Errorf("without %v: got %v, want no error", row.without, err)
		}
		sys.Close()
		got, want := []int{*checks, *writes, *flushes}, []int{row.checks, pieces, row.flush}
		if !slices.Equal(got, want) {
			t.Errorf("without %v: got %d check-writes, writes and flushes, want %d", row.without,
				got, want)
		}
	}
}

// TestAnswersAreCharged compares the cost of a guest with that of the core instances that the
// component makes itself.
func TestAnswersAreCharged(t *testing.T) {
	c := componentCompiler(t, "answers_nested.wasm")()
	own, answering := uint64(threadOverhead)+uint64(len(c.hosts))*hostFunctionSize, uint64(0)
	for _, core := range c.program.Cores {
		if c.program.Modules[core.Module].Answers {
			answering++
			continue
		}
		own += c.cores[core.Module].needs.Instance + instanceOverhead
	}
	if want := own + answering*instanceOverhead; answering != 8 || c.cost() < want {
		t.Errorf("got a cost of %d with %d instances for answers, want at least %d with 8",
			c.cost(), answering, want)
	}
}
