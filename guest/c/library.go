package guestc

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Library is a toolchain with wasport's headers and its library compiled by it.
type Library struct {
	toolchain *Toolchain
	dir       string
}

// Library builds the library in a subdirectory of dir, unless it is there already. The subdirectory
// is named by a hash of the sources and the compiler, so that versions of wasport may share dir.
func (t *Toolchain) Library(ctx context.Context, dir string) (*Library, error) {
	clang, err := os.Stat(t.clang)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%s %d %v\n%s\n%s\n", t.clang, clang.Size(), clang.ModTime(), t.target,
		t.sysroot)
	err = walkFiles(func(name string, text []byte) error {
		fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
		return nil
	})
	if err != nil {
		return nil, err
	}
	l := &Library{t, filepath.Join(dir, fmt.Sprintf("c-%x", hash.Sum(nil)[:8]))}
	if exists(l.dir) {
		return l, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// Another process may build it at the same time. Each renames a complete directory, so it does
	// not matter which one succeeds.
	work, err := os.MkdirTemp(dir, "c-new-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	if err := t.buildLibraries(ctx, work); err != nil {
		return nil, err
	}
	if err := os.Rename(work, l.dir); err != nil && !exists(l.dir) {
		return nil, err
	}
	return l, nil
}

func walkFiles(f func(name string, text []byte) error) error {
	return fs.WalkDir(embedded, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		return f(name, text)
	})
}

// variants are the builds of the library: with wasport's own imports, and with WAMR's only.
var variants = []struct{ name, define string }{
	{"wasport", "-DWASPORT_EXT=1"},
	{"wasport-wamr", withoutExtension},
}

const withoutExtension = "-DWASPORT_EXT=0"

func (t *Toolchain) buildLibraries(ctx context.Context, dir string) error {
	archiver, err := t.findArchiver()
	if err != nil {
		return err
	}
	var sources []string
	err = walkFiles(func(name string, text []byte) error {
		if path.Ext(name) == ".c" {
			sources = append(sources, name)
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o600)
	})
	if err != nil {
		return err
	}
	for _, v := range variants {
		objects := make([]string, len(sources))
		for i, s := range sources {
			objects[i] = path.Base(strings.TrimSuffix(s, "c") + "o")
		}
		err := runParallel(len(sources), func(i int) error {
			flags, err := t.compileFlags("include", false)
			if err != nil {
				return err
			}
			return runCommand(ctx, dir, t.clang,
				append(flags, "-std=gnu11", "-Os", v.define, "-c", sources[i], "-o", objects[i])...)
		})
		if err != nil {
			return err
		}
		if err := runCommand(ctx, dir, archiver,
			append([]string{"Drcs", "lib" + v.name + ".a"}, objects...)...); err != nil {
			return err
		}
		for _, o := range objects {
			if err := os.Remove(filepath.Join(dir, o)); err != nil {
				return err
			}
		}
	}
	return nil
}

// runParallel calls f for 0 to n-1, as many at a time as there are processors.
func runParallel(n int, f func(int) error) error {
	errs := make([]error, n)
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		running.Go(func() {
			errs[i] = f(i)
			<-slots
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

func runCommand(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compiling wasport's C library: %s: %w\n%s", name, err, out)
	}
	return nil
}

// Command returns a command that runs the C compiler, or with cxx the C++ compiler, with the
// arguments of clang. It adds the flags, the headers and, when linking, the library.
func (l *Library) Command(ctx context.Context, cxx bool, args ...string) (*exec.Cmd, error) {
	compiler := l.toolchain.clang
	if cxx {
		compiler = clangPlusPlus(compiler)
	}
	all, err := l.toolchain.compileFlags(filepath.Join(l.dir, "include"), cxx)
	if err != nil {
		return nil, err
	}
	linking := LinksModule(args)
	if linking {
		all = append(all, stackFlags...)
		if l.toolchain.threads {
			all = append(all, threadLinkFlags...)
		}
	}
	all = append(all, args...)
	if linking {
		library := variants[0].name
		if slices.Contains(args, withoutExtension) {
			library = variants[1].name
		}
		all = append(all, "-L"+l.dir, "-l"+library)
		for _, e := range l.toolchain.foundEmulations() {
			all = append(all, "-lwasi-emulated-"+e)
		}
	}
	return exec.CommandContext(ctx, compiler, all...), nil
}

// clangPlusPlus is the C++ compiler of a clang, whose file name may have an extension.
func clangPlusPlus(clang string) string {
	name, isExe := strings.CutSuffix(clang, exe)
	if isExe {
		return name + "++" + exe
	}
	return name + "++"
}

// exe is the extension of a program's file name on Windows.
const exe = ".exe"

// LinksModule reports whether a command line links a module, rather than stopping after compiling.
func LinksModule(args []string) bool {
	hasInput := false
	for _, arg := range args {
		switch arg {
		case "-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "-r":
			return false
		}
		hasInput = hasInput || arg == "-" || !strings.HasPrefix(arg, "-")
	}
	return hasInput
}
