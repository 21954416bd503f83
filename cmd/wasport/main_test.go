package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wasport/wasport/internal/gramine"
	"github.com/wasport/wasport/internal/needs"
)

// programs are those that tests run in processes of their own.
var programs = map[string]func(){"wasport": main, "interrupted": waitForInterrupts,
	"badvalues": runBadValues}

func TestMain(m *testing.M) {
	gramine.Enter()
	testscript.Main(runner(m), programs)
}

// TestScript runs the scripts of testdata/script (testscript of rogpeppe/go-internal). Each starts
// in a directory with the modules of testdata/module. $GUESTS is internal/guests.
func TestScript(t *testing.T) {
	guests, err := filepath.Abs("../../internal/guests")
	if err != nil {
		t.Fatal(err)
	}
	cache, config := t.TempDir(), t.TempDir() // shared by all scripts that do not set their own
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("GUESTS", guests)
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_CACHE_HOME", cache)
			e.Setenv("XDG_CONFIG_HOME", config)
			e.Setenv("LocalAppData", cache) // where Windows has the two
			e.Setenv("AppData", config)
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			return copyModules(e.WorkDir)
		},
		Condition: condition,
		Cmds:      scriptCommands,
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

// TestModulesMatchTheirText checks that each module of testdata was built from its text.
func TestModulesMatchTheirText(t *testing.T) {
	needs.Programs(t, "wat2wasm")
	texts, err := filepath.Glob("testdata/module/*.wat")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		binary := text[:len(text)-len(".wat")] + ".wasm"
		out := filepath.Join(t.TempDir(), "out.wasm")
		if b, err := exec.Command("wat2wasm", "--debug-names", text, "-o",
			out).CombinedOutput(); err != nil {
			t.Errorf("wat2wasm %s: got %v, want no error\n%s", text, err, b)
			continue
		}
		got, err := os.ReadFile(binary)
		if err != nil {
			t.Error(err)
			continue
		}
		if want, err := os.ReadFile(out); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got other bytes, want those that wat2wasm makes of %s", binary, text)
		}
	}
}
