package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/wasport/wasport"

// mayImport lists, for each package, which others of this module it may import.
// docs/architecture.md shows the same graph. A package that is not listed may import nothing of
// this module.
var mayImport = map[string][]string{
	"internal/bytesize":                    {},
	"internal/dnstest":                     {},
	"internal/engine/dwarf":                {},
	"internal/engine/futex":                {},
	"internal/engine/memory":               {},
	"internal/errno":                       {},
	"internal/gramine":                     {},
	"internal/hostpath":                    {},
	"internal/outside":                     {},
	"internal/printable":                   {},
	"internal/monotonic":                   {},
	"internal/sched":                       {"internal/monotonic"},
	"internal/sendbehind":                  {},
	"internal/recvwait":                    {"network"},
	"internal/shortcut":                    {},
	"internal/testutil":                    {"policy"},
	"internal/testutil/threadtime":         {"internal/monotonic"},
	"internal/typecheck":                   {},
	"internal/wasi":                        {},
	"internal/component/wit":               {},
	"internal/component/binary":            {},
	"internal/component/binary/binarytest": {},
	"internal/component/link":              {"internal/component/binary", "internal/component/wit"},
	"network":                              {},
	"policy":                               {"internal/bytesize"},
	"internal/component/canon":             {"internal/component/wit"},
	"internal/component/canon/canontest": {"internal/component/canon",
		"internal/component/wit"},
	"internal/hostfs":              {"internal/outside", "network"},
	"internal/poll":                {"network"},
	"internal/ring":                {"network"},
	"internal/ipc":                 {"internal/ring", "network"},
	"internal/platforms":           {"internal/platforms/recording"},
	"internal/platforms/recording": {"internal/gramine", "internal/needs"},
	"network/kernel": {"internal/errno", "internal/monotonic", "internal/poll",
		"internal/recvwait", "internal/sendbehind", "internal/shortcut", "network"},
	"network/dial": {"internal/errno", "internal/outside", "network",
		"network/kernel"},
	"network/networktest":       {"internal/needs", "internal/poll", "network"},
	"network/virtual":           {"internal/outside", "internal/ring", "network"},
	"network/guard":             {"internal/recvwait", "internal/sendbehind", "network", "policy"},
	"internal/engine/interrupt": {"internal/printable"},
	"internal/engine/codecache": {"internal/hostpath"},
	"internal/system": {"internal/hostfs", "internal/ipc", "internal/monotonic", "internal/outside",
		"internal/poll", "internal/recvwait", "internal/sched", "internal/sendbehind",
		"internal/shortcut", "internal/wasi", "network"},
	"internal/wasi2": {"internal/component/canon", "internal/component/wit", "internal/hostfs",
		"internal/outside", "internal/system", "internal/wasi", "network", "policy"},
	"internal/abi": {"internal/hostfs", "internal/outside", "internal/system", "internal/wasi",
		"network"},
	"internal/engine": {"internal/abi", "internal/component/binary", "internal/component/canon",
		"internal/component/link", "internal/component/wit", "internal/engine/codecache",
		"internal/engine/dwarf", "internal/engine/futex", "internal/engine/interrupt",
		"internal/engine/memory", "internal/outside", "internal/printable", "internal/sched",
		"internal/shortcut", "internal/system",
		"internal/wasi", "internal/wasi2"},
	"": {"internal/abi", "internal/engine", "internal/hostfs", "internal/hostpath",
		"internal/outside", "internal/printable", "internal/shortcut", "internal/system",
		"network", "network/guard", "network/kernel", "policy"},
	"cmd/wasport": {"", "guest/c", "internal/bytesize", "internal/dnstest",
		"internal/engine/codecache", "internal/guests/components", "internal/guests/demo",
		"internal/errno", "internal/hostpath",
		"internal/outside", "internal/printable", "internal/shortcut", "network", "network/dial",
		"network/guard", "network/kernel", "policy"},
}

// wazeroUsers are the packages that may import wazero.
var wazeroUsers = []string{"", "internal/abi", "internal/engine",
	"internal/engine/codecache", "internal/engine/interrupt", "internal/engine/memory"}

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

// TestArchitectureShowsImports compares the table of packages in docs/architecture.md with
// mayImport.
func TestArchitectureShowsImports(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([^`]+)`")
	shown := make(map[string]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `[^`]*` \\|.*\\|.*\\|$").FindAllString(
		string(text), -1) {
		cells := strings.Split(row, "|")
		pkg := code.FindStringSubmatch(cells[1])[1]
		if pkg == "wasport" {
			pkg = ""
		}
		want, ok := mayImport[pkg]
		if !ok {
			continue // a row of another table
		}
		shown[pkg] = true
		var got []string
		for _, m := range code.FindAllStringSubmatch(cells[3], -1) {
			got = append(got, strings.TrimSuffix(m[1], "wasport"))
		}
		if !slices.Equal(got, want) {
			t.Errorf("docs/architecture.md: imports of %q: got %q, want %q", pkg, got, want)
		}
	}
	for pkg := range mayImport {
		if !shown[pkg] {
			t.Errorf("docs/architecture.md: got no row for %q, want one", pkg)
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

// TestCommandNeedsFewModules bounds the download for a first run of the command.
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
