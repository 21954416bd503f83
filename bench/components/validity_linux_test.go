package components

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	component "github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/binary/binarytest"
	"github.com/wasport/wasport/internal/component/link"
	"github.com/wasport/wasport/internal/needs"
)

// mutations is how many mutations of each valid component are judged.
const mutations = 72

// seed begins the random numbers. Each component has a sequence of its own, so that another one
// among them does not change which mutations are judged.
var seed = flag.Uint64("seed", 1, "the seed of the mutations")

// A judge is a process that judges components by wasmtime.
type judge struct {
	exe string
	in  io.Writer
	out *bufio.Reader
}

// panicked is the judgement on a component for which wasmtime ends the process.
const panicked = "wasmtime panicked"

// moduleDir returns the directory of a Go module.
func moduleDir(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path).Output()
	if err != nil {
		t.Fatalf("go list -m %s: %v", path, err)
	}
	return strings.TrimSpace(string(out))
}

// newJudge builds and starts a judge. The test's end ends it.
func newJudge(t *testing.T) *judge {
	t.Helper()
	needs.Programs(t, "cc")
	build := filepath.Join(moduleDir(t, "github.com/bytecodealliance/wasmtime-go/v39"), "build")
	library := map[string]string{"amd64": "linux-x86_64", "arm64": "linux-aarch64"}[runtime.GOARCH]
	if library == "" {
		t.Skipf("wasmtime-go has no library for %s", runtime.GOARCH)
	}
	exe := filepath.Join(t.TempDir(), "judge")
	cc := exec.Command("cc", "-O1", "-I", filepath.Join(build, "include"), "-o", exe,
		filepath.Join("src", "judge.c"), filepath.Join(build, library, "libwasmtime.a"),
		"-lm", "-ldl", "-lpthread")
	if out, err := cc.CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	j := &judge{exe: exe}
	j.start(t)
	return j
}

// start starts the process.
func (j *judge) start(t *testing.T) {
	t.Helper()
	cmd := exec.Command(j.exe)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	j.in, j.out = in, bufio.NewReader(out)
}

// judge returns why wasmtime refuses a component, or nothing. One that wasmtime cannot compile is
// judged within another that does not instantiate it: then it is only looked at.
func (j *judge) judge(t *testing.T, b []byte) string {
	t.Helper()
	theirs := j.ask(t, b)
	if slices.ContainsFunc(uncompiled, func(s string) bool { return strings.Contains(theirs, s) }) {
		return j.ask(t, binarytest.Component(binarytest.Section(4, b)))
	}
	return theirs
}

// ask returns wasmtime's error about a component, or nothing.
func (j *judge) ask(t *testing.T, b []byte) string {
	t.Helper()
	message := binary.LittleEndian.AppendUint32(nil, uint32(len(b)))
	if _, err := j.in.Write(append(message, b...)); err != nil {
		t.Fatal(err)
	}
	var head [5]byte
	switch _, err := io.ReadFull(j.out, head[:]); err {
	case nil:
	case io.EOF:
		t.Logf("%s: %x", panicked, b)
		j.start(t)
		return panicked
	default:
		t.Fatal(err)
	}
	text := make([]byte, binary.LittleEndian.Uint32(head[1:]))
	if _, err := io.ReadFull(j.out, text); err != nil {
		t.Fatal(err)
	}
	if head[0] == 0 {
		return ""
	}
	_, cause, _ := strings.Cut(string(text), "Caused by:\n")
	cause, _, _ = strings.Cut(cause, "Stack backtrace:")
	return strings.Join(strings.Fields(cause), " ")
}

// coreRuntime compiles core modules, of which package link judges the imports and exports only.
var coreRuntime = sync.OnceValue(func() wazero.Runtime {
	return wazero.NewRuntimeWithConfig(context.Background(), wazero.NewRuntimeConfigInterpreter().
		WithCoreFeatures(api.CoreFeaturesV2))
})

// ours returns why wasport refuses a component, or nil.
func ours(b []byte) error {
	c, err := component.Decode(b)
	if err != nil {
		return err
	}
	if err := link.Validate(c); err != nil {
		return err
	}
	return compileCores(c)
}

func compileCores(c *component.Component) error {
	for _, d := range c.Defs {
		var err error
		switch d := d.(type) {
		case *component.Component:
			err = compileCores(d)
		case *component.CoreModule:
			var m wazero.CompiledModule
			// wazero refuses a module without a name to import from, which a plan renames.
			if m, err = coreRuntime().CompileModule(context.Background(), d.Bytes); err == nil {
				m.Close(context.Background())
			} else if strings.Contains(err.Error(), "empty module name") {
				err = nil
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// uncompiled are errors of wasmtime about valid components that it cannot compile.
var uncompiled = []string{
	"root-level component imports are not supported",
	"exporting a component from the root component is not supported",
	"unsupported type export",
	"is a reexport of an imported function which is not implemented",
}

// isUnfinished reports whether wasmtime does not take a component that may be valid: names in which
// a word begins with a digit became valid later.
func isUnfinished(theirs string) bool {
	return theirs == panicked || strings.Contains(theirs, "is not in kebab case")
}

// onPurpose reports whether an error is about a feature that wasport does not have.
func onPurpose(err error) bool {
	var e *component.Error
	return errors.As(err, &e) && (e.Kind == component.Unsupported || e.Kind == component.TooMuch)
}

// validityFixtures are components of this repository and of wazy.
func validityFixtures(t *testing.T) map[string][]byte {
	t.Helper()
	list := make(map[string][]byte)
	for _, dir := range []string{
		filepath.Join(moduleDir(t, "github.com/wasport/wasport"), "internal", "guests",
			"components"),
		moduleDir(t, "github.com/samyfodil/wazy"),
	} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".wasm" {
				return err
			}
			b, err := os.ReadFile(path)
			if rel, _ := filepath.Rel(dir, path); component.IsComponent(b) {
				list[rel] = b
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// TestValidityOfFixtures compares the judgement of wasmtime on each component.
func TestValidityOfFixtures(t *testing.T) {
	j := newJudge(t)
	fixtures, valid := validityFixtures(t), 0
	for name, b := range fixtures {
		t.Run(name, func(t *testing.T) {
			if compareValidity(t, j, b) {
				valid++
			}
		})
	}
	t.Logf("%d of %d components are valid", valid, len(fixtures))
}

// compareValidity reports whether wasport takes a component as valid.
func compareValidity(t *testing.T, j *judge, b []byte) bool {
	t.Helper()
	err, theirs := ours(b), j.judge(t, b)
	switch {
	case err == nil && theirs == "", err != nil && theirs != "":
	case onPurpose(err):
		t.Logf("refused on purpose: %v", err)
	case isUnfinished(theirs):
		t.Logf("wasmtime: %s", theirs)
	case err == nil:
		t.Errorf("got a valid component, want wasmtime's refusal: %s", theirs)
	default:
		t.Errorf("got %v, want a valid component as in wasmtime", err)
	}
	return err == nil
}

// TestValidityOfMutations compares the judgement of wasmtime on components of which a few bytes
// were changed.
func TestValidityOfMutations(t *testing.T) {
	j := newJudge(t)
	fixtures := validityFixtures(t)
	var names []string
	for name, b := range fixtures {
		if ours(b) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	valid, refused := 0, make(map[string]int)
	for _, name := range names {
		random := newRandom(name)
		for i := range mutations {
			b := mutate(random, fixtures[name])
			err, theirs := ours(b), j.judge(t, b)
			if theirs == "" {
				valid++
			}
			switch {
			case (err == nil) == (theirs == ""), isUnfinished(theirs):
			case onPurpose(err):
				text, _, _ := strings.Cut(err.Error(), " at offset")
				refused[text]++
			default:
				t.Errorf("seed %d, mutation %d of %s: got %v, want %q", *seed, i, name, err, theirs)
			}
		}
	}
	t.Logf("%d of %d mutations are valid", valid, len(names)*mutations)
	for _, text := range slices.Sorted(maps.Keys(refused)) {
		t.Logf("refused on purpose: %d × %s", refused[text], text)
	}
}

// newRandom returns the random numbers for the mutations of a fixture.
func newRandom(name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(*seed, h.Sum64()))
}

// mutate changes up to 3 bytes outside of core modules, or cuts or repeats some.
func mutate(random *rand.Rand, b []byte) []byte {
	b = slices.Clone(b)
	open := outside(b, 0)
	for range 1 + random.IntN(3) {
		at := open[random.IntN(len(open))]
		if at >= len(b) {
			continue
		}
		switch random.IntN(8) {
		case 0:
			b[at] = byte(random.Uint32())
		case 1, 2:
			b[at] ^= 1 << random.IntN(8)
		case 3, 4:
			b[at] += byte(1 + random.IntN(3))
		case 5, 6:
			b[at] -= byte(1 + random.IntN(3))
		case 7:
			b[at] = b[open[random.IntN(len(open))]%len(b)]
		}
	}
	return b
}

// outside returns the positions of a component at base that are in no core module and no custom
// section.
func outside(b []byte, base int) []int {
	var list []int
	for at := 8; at < len(b); {
		size, n := binary.Uvarint(b[at+1:])
		body := at + 1 + n
		end := body + int(size)
		switch b[at] {
		case 1:
			list = append(list, base+at)
		case 4:
			list = append(list, outside(b[body:end], base+body)...)
		default:
			for ; at < end; at++ {
				list = append(list, base+at)
			}
		}
		at = end
	}
	return list
}
