package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGoProgramWithoutSocketsIsTold runs modules with the section of Go's linker, and without.
func TestGoProgramWithoutSocketsIsTold(t *testing.T) {
	section := append([]byte{0, 12, 10}, "go:buildid\xff"...)
	dir := t.TempDir()
	module := func(name string, more ...byte) string {
		wasm, err := os.ReadFile("testdata/module/" + name + ".wasm")
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name+".wasm")
		if len(more) > 0 {
			file = filepath.Join(dir, "go-"+name+".wasm")
		}
		if err := os.WriteFile(file, append(wasm, more...), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	hello, goHello := module("hello"), module("hello", section...)
	goConnect := module("connect", section...)
	grants := filepath.Join(dir, "grants.toml")
	denies := filepath.Join(dir, "denies.toml")
	for file, rule := range map[string]string{
		grants: `allow = ["connect tcp://127.0.0.1:80"]`, denies: `deny = ["connect any"]`,
	} {
		if err := os.WriteFile(file, []byte(rule+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const handed, from = "--listen=tcp://127.0.0.1:0", "--allow-listen=loopback from loopback"
	for _, row := range []struct {
		name, file string
		flags      []string
		want       bool
	}{
		{"connect", goHello, []string{"--allow-connect=loopback"}, true},
		{"everything", goHello, []string{"--allow-net"}, true},
		{"names", goHello, []string{"--allow-ns-lookup"}, true},
		{"listen", goHello, []string{"--allow-listen=loopback"}, true},
		{"listen on a socket handed over", goHello, []string{handed, from}, false},
		{"connect beside it", goHello, []string{handed, "--allow-connect=loopback"}, true},
		{"policy file", goHello, []string{"--policy", grants}, true},
		{"policy file that denies", goHello, []string{"--policy", denies}, false},
		{"ceiling", goHello, []string{"--policy-ceiling", grants}, false},
		{"deny", goHello, []string{"--deny-connect=loopback"}, false},
		{"nothing", goHello, nil, false},
		{"not by Go", hello, []string{"--allow-connect=loopback"}, false},
		{"with sockets", goConnect, []string{"--allow-connect=loopback"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			args := append(append([]string{"run", "--timeout=1m"}, row.flags...), row.file)
			cmd := exec.Command("wasport", args...)
			cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+dir, "GORACE=atexit_sleep_ms=0")
			out, _ := cmd.CombinedOutput() // the status is the module's own
			got := strings.Contains(string(out), "docs/languages.md#go")
			if got != row.want || got && strings.Count(string(out), "program of Go") != 1 {
				t.Errorf("got told %v, want %v:\n%s", got, row.want, out)
			}
		})
	}
}
