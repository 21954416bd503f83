package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wasport": main})
}

// TestScript runs testdata/script. Besides testscript's own commands there are
//
//	status N command...         the command must end with the exit status N
//	cut FILE N BYTE...          keep the first N bytes of the file, and the last of them as given
//	signal NAME N command...    sent the signal after its first line of output, the command must end with the exit status N
//
// The modules of testdata/module are in the directory that a script starts in; $GUESTS is where those of guest/c/test are.
func TestScript(t *testing.T) {
	guests, err := filepath.Abs("../../guest/c/test")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("GUESTS", guests)
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, "cache"))
			return copyModules(e.WorkDir)
		},
		Condition: func(name string) (bool, error) {
			if name == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, errors.New("unknown condition " + name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "signal": signalAfterLine, "cut": cut},
	})
}

func copyModules(to string) error {
	modules, err := filepath.Glob("testdata/module/*.wasm")
	if err != nil {
		return err
	}
	for _, m := range modules {
		b, err := os.ReadFile(m)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(m)), b, 0o666); err != nil {
			return err
		}
	}
	return nil
}

func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command...")
	}
	expect(ts, args[0], ts.Exec(args[1], args[2:]...))
}

func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: cut FILE N BYTE...")
	}
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	b := []byte(ts.ReadFile(args[0]))[:size]
	for i, text := range args[2:] {
		n, err := strconv.ParseUint(text, 0, 8)
		ts.Check(err)
		b[size-len(args[2:])+i] = byte(n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o666))
}

func expect(ts *testscript.TestScript, want string, err error) {
	got := 0
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		got = ended.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != want {
		ts.Fatalf("exit status %d, not %s", got, want)
	}
}

func signalAfterLine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: signal NAME N command...")
	}
	sig, ok := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}[args[0]]
	if !ok {
		ts.Fatalf("unknown signal %s", args[0])
	}
	path, err := exec.LookPath(args[2]) // testscript puts the command into the PATH of this process too
	ts.Check(err)
	cmd := exec.Command(path, args[3:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+ts.Getenv("XDG_CACHE_HOME"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		cmd.Process.Kill()
		ts.Fatalf("it printed no line: %q, %v\n%s", line, err, &stderr)
	}
	sent := time.Now()
	ts.Check(cmd.Process.Signal(sig))
	io.Copy(io.Discard, stdout)
	err = cmd.Wait()
	if took := time.Since(sent); took > 5*time.Second {
		ts.Fatalf("it went on for %v after the signal", took)
	}
	io.Copy(ts.Stderr(), &stderr)
	expect(ts, args[1], err)
}

// TestModules checks that the modules of testdata are what their text says.
func TestModules(t *testing.T) {
	if _, err := exec.LookPath("wat2wasm"); err != nil {
		if os.Getenv("WASPORT_CI") == "1" {
			t.Fatal(err)
		}
		t.Skip("there is no wat2wasm")
	}
	texts, err := filepath.Glob("testdata/module/*.wat")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		binary := text[:len(text)-len(".wat")] + ".wasm"
		out := filepath.Join(t.TempDir(), "out.wasm")
		if b, err := exec.Command("wat2wasm", "--debug-names", text, "-o", out).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, b)
			continue
		}
		got, err := os.ReadFile(binary)
		if err != nil {
			t.Error(err)
			continue
		}
		if want, err := os.ReadFile(out); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what %s gives", binary, text)
		}
	}
}
