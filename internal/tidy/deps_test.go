package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/wasport/wasport"

// mayImport lists, for each package, which others of this module it may import.
// docs/architecture.md draws the same graph. A package that is not listed may import nothing of
// this module.
var mayImport = map[string][]string{
	"policy":                    {},
	"internal/wasi":             {},
	"internal/engine/futex":     {},
	"internal/engine/interrupt": {},
	"internal/engine/memory":    {},
	"internal/dnstest":          {},
	"network":                   {},
	"internal/hostfs":           {"network"},
	"internal/poll":             {"network"},
	"network/kernel":            {"network", "internal/poll"},
	"network/guard":             {"network", "policy"},
	"internal/system":           {"internal/hostfs", "internal/poll", "internal/wasi", "network"},
	"internal/abi":              {"internal/system", "internal/hostfs", "internal/wasi", "network"},
	"internal/engine": {"internal/abi", "internal/system", "internal/wasi",
		"internal/engine/futex", "internal/engine/interrupt", "internal/engine/memory"},
	"": {"internal/engine", "internal/system", "internal/hostfs", "network", "network/guard",
		"network/kernel", "policy"},
	"cmd/wasport": {"", "guest/c", "guest/c/demo", "internal/dnstest", "network",
		"network/kernel", "network/guard", "policy"},
}

// wazeroUsers are the packages that may import wazero.
var wazeroUsers = []string{"", "internal/abi", "internal/engine", "internal/engine/interrupt",
	"internal/engine/memory"}

type listedPackage struct {
	ImportPath string
	Imports    []string
}

// inModule returns the path of a package below the module, "" for its root.
func inModule(path string) (string, bool) {
	if path == modulePath {
		return "", true
	}
	return strings.CutPrefix(path, modulePath+"/")
}

// listPackages lists the module's packages with the imports of their files that are not tests.
func listPackages(t *testing.T, goos string) []listedPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", modulePath+"/...")
	cmd.Env = append(cmd.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []listedPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

func TestImportsPointDown(t *testing.T) {
	for _, goos := range []string{"linux", "windows", "darwin"} {
		t.Run(goos, func(t *testing.T) {
			for _, p := range listPackages(t, goos) {
				checkImports(t, p)
			}
		})
	}
}

func checkImports(t *testing.T, p listedPackage) {
	from, ok := inModule(p.ImportPath)
	if !ok || isFree(from) {
		return
	}
	allowed, listed := mayImport[from]
	for _, path := range p.Imports {
		to, ours := inModule(path)
		switch {
		case ours && !listed:
			t.Errorf("%s imports %s: got a package without a row in mayImport, want one", from, to)
		case ours && !slices.Contains(allowed, to):
			t.Errorf("%s imports %q, want only %q", from, to, allowed)
		case strings.HasPrefix(path, "github.com/tetratelabs/wazero") &&
			!slices.Contains(wazeroUsers, from):
			t.Errorf("%s imports wazero, want that only in %q", from, wazeroUsers)
		}
	}
}

// isFree reports whether a package may import anything: programs that use the module as others
// do, and packages that hold guests for tests.
func isFree(path string) bool {
	for _, dir := range []string{"examples", "bench", "guest", "internal/guests",
		"internal/bench"} {
		if path == dir || strings.HasPrefix(path, dir+"/") {
			return true
		}
	}
	return false
}

// TestCommandNeedsFewModules bounds the download of somebody who runs the command for the first
// time.
func TestCommandNeedsFewModules(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps",
		"-f", "{{with .Module}}{{.Path}}{{end}}", modulePath+"/cmd/wasport").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	allowed := []string{modulePath, "github.com/tetratelabs/wazero", "github.com/spf13/pflag",
		"github.com/pelletier/go-toml/v2"}
	for _, module := range strings.Fields(string(out)) {
		if !slices.Contains(allowed, module) && !strings.HasPrefix(module, "golang.org/x/") {
			t.Errorf("the command needs %s, want only %q and golang.org/x/…", module, allowed)
		}
	}
}
