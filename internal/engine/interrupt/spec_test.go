package interrupt

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

const features = api.CoreFeaturesV2 | experimental.CoreFeaturesThreads |
	experimental.CoreFeaturesTailCall | experimental.CoreFeaturesExtendedConst

// specDir finds the assembled WebAssembly core test suite in wazero's sources.
func specDir(t *testing.T) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}",
		"github.com/tetratelabs/wazero").Output()
	dir := filepath.Join(strings.TrimSpace(string(out)), "internal/integration_test/spectest")
	if err == nil {
		_, err = os.Stat(dir)
	}
	if err != nil {
		missing(t, "the test suite in wazero's sources")
	}
	return dir
}

// missing skips a test that lacks a tool. With WASPORT_CI=1 it fails the test.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("WASPORT_CI") == "1" {
		t.Fatalf("%s is missing", what)
	}
	t.Skipf("%s is missing", what)
}

type specCommand struct {
	Type     string
	Line     int
	Name     string
	As       string
	Filename string
	Action   struct {
		Type, Field, Module string
		Args                []struct {
			Type     string
			LaneType string `json:"lane_type"`
			Value    any
		}
	}
}

// A specRunner runs the commands of a script, in a runtime of its own.
type specRunner struct {
	rt      wazero.Runtime
	rewrite func([]byte) ([]byte, error)
	modules map[string]api.Module
	last    api.Module
	err     error // Of the last module that was refused.
}

func newSpecRunner(t *testing.T, ctx context.Context, config wazero.RuntimeConfig,
	rewrite func([]byte) ([]byte, error)) *specRunner {
	w := &specRunner{rt: wazero.NewRuntimeWithConfig(ctx, config), rewrite: rewrite,
		modules: map[string]api.Module{}}
	t.Cleanup(func() { _ = w.rt.Close(ctx) })
	instantiateHost(t, ctx, w.rt, func() {})
	return w
}

func (w *specRunner) instantiate(ctx context.Context, file, name string) (api.Module, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if b, err = w.rewrite(b); err != nil {
		return nil, err
	}
	return w.rt.InstantiateWithConfig(ctx, b,
		wazero.NewModuleConfig().WithName(name).WithStartFunctions())
}

// run describes the result of a command. Two runners with the same result describe it in the same
// words.
func (w *specRunner) run(ctx context.Context, dir string, c *specCommand) string {
	file := filepath.Join(dir, c.Filename)
	switch c.Type {
	case "module":
		m, err := w.instantiate(ctx, file, c.Name)
		if w.err = err; err != nil {
			return "refused"
		}
		w.last = m
		w.modules[c.Name] = m
		return "instantiated"
	case "register":
		b := w.last
		if c.Name != "" {
			b = w.modules[c.Name]
		}
		_ = b
		return "registered"
	case "assert_malformed", "assert_invalid", "assert_unlinkable", "assert_uninstantiable":
		if strings.HasSuffix(file, ".wat") {
			return "text"
		}
		m, err := w.instantiate(ctx, file, "")
		if err == nil {
			_ = m.Close(ctx)
			return "instantiated"
		}
		if c.Type == "assert_uninstantiable" {
			return trap(err)
		}
		w.err = err
		return "refused"
	case "action", "assert_return", "assert_trap", "assert_exhaustion":
		m := w.last
		if c.Action.Module != "" {
			m = w.modules[c.Action.Module]
		}
		if m == nil {
			return "no module"
		}
		if c.Action.Type == "get" {
			return fmt.Sprint(m.ExportedGlobal(c.Action.Field).Get())
		}
		var args []uint64
		for _, a := range c.Action.Args {
			args = append(args, specValue(a.Type, a.LaneType, a.Value)...)
		}
		r, err := m.ExportedFunction(c.Action.Field).Call(ctx, args...)
		if err != nil {
			return trap(err)
		}
		return fmt.Sprint(r)
	}
	return "unknown"
}

// trap returns the kind of an error, without indices of functions, which rewriting changes.
func trap(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	if _, kind, ok := strings.Cut(s, "wasm error: "); ok {
		s = kind
	}
	return strings.TrimSuffix(s, " (recovered by wazero)")
}

func specValue(of, lanes string, v any) []uint64 {
	number := func(s string, bits int) uint64 {
		switch s {
		case "null", "nan:canonical", "nan:arithmetic":
			return 0
		}
		n, err := strconv.ParseUint(s, 10, bits)
		if err != nil {
			panic(err)
		}
		return n
	}
	if of != "v128" {
		n := number(v.(string), 64)
		if of == "externref" && v != "null" {
			n++
		}
		return []uint64{n}
	}
	bits, _ := strconv.Atoi(lanes[1:])
	var r [2]uint64
	for i, l := range v.([]any) {
		at := i * bits
		r[at/64] |= number(l.(string), bits) << (at % 64)
	}
	return r[:]
}

// TestSpecAfterRewriting runs the 55,000 commands of the WebAssembly core test suite with and
// without rewriting. Each must have the same result. With WASPORT_CI=1 the interpreter runs them,
// too, and wabt must find a rewritten module valid if and only if the original is.
func TestSpecAfterRewriting(t *testing.T) {
	root := specDir(t)
	var scripts []string
	for _, suite := range []string{"v2", "threads", "tail-call", "extended-const"} {
		s, err := filepath.Glob(filepath.Join(root, suite, "testdata", "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, s...)
	}
	for _, interval := range []uint32{2, DefaultInterval} {
		for _, script := range scripts {
			name := filepath.Base(filepath.Dir(filepath.Dir(script))) + "/" +
				strings.TrimSuffix(filepath.Base(script), ".json")
			if interval == 2 && strings.HasPrefix(filepath.Base(script), "simd_") {
				continue // These scripts have hardly any control flow.
			}
			t.Run(fmt.Sprintf("%d/%s", interval, name), func(t *testing.T) {
				t.Parallel()
				runScript(t, script, root, wazero.NewRuntimeConfig(), interval, false)
				if os.Getenv("WASPORT_CI") == "1" && interval != 2 {
					runScript(t, script, root, wazero.NewRuntimeConfigInterpreter(), interval, true)
				}
			})
		}
	}
}

func runScript(t *testing.T, script, root string, config wazero.RuntimeConfig, interval uint32,
	validate bool) {
	b, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	var s struct{ Commands []specCommand }
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	config = config.WithCoreFeatures(features)
	plain := newSpecRunner(t, ctx, config, func(b []byte) ([]byte, error) { return b, nil })
	rewritten := newSpecRunner(t, ctx, config, func(b []byte) ([]byte, error) {
		out, _, err := Rewrite(b,
			Options{Interval: interval, Stack: DefaultMaxStack, Charge: true, Atomics: true})
		if validate && err == nil {
			before, after := validator(t, b), validator(t, out)
			if (before == "") != (after == "") {
				t.Errorf("wasm-validate on the output: got %q, want as on the input: %q", after,
					before)
			}
		}
		return out, err
	})
	for _, w := range []*specRunner{plain, rewritten} {
		if _, err := w.instantiate(ctx, filepath.Join(root, "testdata/spectest.wasm"),
			"spectest"); err != nil {
			t.Fatal(err)
		}
	}
	// A module takes the name that it is registered as.
	for i := range s.Commands {
		if c := &s.Commands[i]; c.Type == "register" {
			for j := i - 1; j >= 0; j-- {
				if m := &s.Commands[j]; m.Type == "module" && (c.Name == "" || m.Name == c.Name) {
					alias := m.Name
					m.Name = c.As
					for k := range s.Commands {
						if alias != "" && s.Commands[k].Action.Module == alias {
							s.Commands[k].Action.Module = c.As
						}
					}
					break
				}
			}
		}
	}
	for i := range s.Commands {
		c := &s.Commands[i]
		dir := filepath.Dir(script)
		if want, got := plain.run(ctx, dir, c), rewritten.run(ctx, dir, c); got != want {
			t.Errorf("line %d, %s %s: got %q (%v), want %q", c.Line, c.Type,
				c.Filename+c.Action.Field, got, rewritten.err, want)
		}
	}
}
