package engine

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	componentguests "github.com/wasport/wasport/internal/guests/components"
	"github.com/wasport/wasport/internal/outside"
	"github.com/wasport/wasport/internal/system"
)

// FuzzComponent compiles and runs changed components, in the interpreter and under limits. They may
// do anything but make the host panic, keep memory or keep running.
func FuzzComponent(f *testing.F) {
	names, err := fs.Glob(componentguests.FS, "*.wasm")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		wasm, err := componentguests.FS.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wasm)
	}
	ctx := context.Background()
	e, err := New(ctx, Config{Interpreter: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { e.Close(ctx) })
	f.Fuzz(func(t *testing.T, wasm []byte) {
		p, err := e.Compile(ctx, wasm, CompileOptions{TrapUnknown: true})
		if err != nil {
			return
		}
		defer p.Close(ctx)
		p.Imports()
		p.Memory()
		entry, err := p.Entry("")
		if err != nil {
			return
		}
		runFuzzed(t, p, entry)
	})
}

// runFuzzed runs a guest for a while.
func runFuzzed(t *testing.T, p Program, entry Entry) {
	sys, err := system.New(context.Background(), system.Config{Args: []string{"fuzz", "127.0.0.1"},
		Stdin: strings.NewReader("input"), MaxCPU: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close()
	over := errors.New("its time is over")
	defer time.AfterFunc(200*time.Millisecond, func() { sys.Kill(over) }).Stop()
	_, err = p.Run(sys, nil, &entry, nil, Limits{Memory: 16 << 20})
	if panicked := (*outside.Panic)(nil); errors.As(err, &panicked) || sys.Panic() != nil {
		t.Errorf("got a panic of the host: %v\n%v", err, sys.Panic())
	}
}
