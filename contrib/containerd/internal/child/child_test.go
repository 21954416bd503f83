package child

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasport/wasport/policy"
)

func TestSearchDomainsOfResolvConf(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       []string
		ndots      int
	}{
		{"empty", "", nil, 0},
		{"of a pod", "nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local " +
			"cluster.local\noptions ndots:5 timeout:1\n",
			[]string{"default.svc.cluster.local", "svc.cluster.local", "cluster.local"}, 5},
		{"the last holds", "search a.test\ndomain b.test\n", []string{"b.test"}, 0},
		{"no names", "search a..test -x_* ok.test \x00\noptions ndots:-3 ndots:x",
			[]string{"ok.test"}, 0},
		{"huge ndots", "options ndots:1000000", nil, 15},
		{"many", "search" + strings.Repeat(" a.test", 1000),
			slices.Repeat([]string{"a.test"}, 32), 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, ndots := searchDomains(row.text)
			if !slices.Equal(got, row.want) || ndots != row.ndots {
				t.Errorf("got %q and %d, want %q and %d", got, ndots, row.want, row.ndots)
			}
		})
	}
}

func TestReportsAreBounded(t *testing.T) {
	var out strings.Builder
	l := &reportLog{out: &out}
	p := policy.New(nil, policy.Limits{})
	for i := range 3000 {
		r := policy.Request{Op: policy.OpConnect, Protocol: policy.TCP,
			Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 80)}
		for range 2 {
			l.refusal(p.Explain(r, p.Decide(r, nil)))
		}
	}
	text := out.String()
	if got := strings.Count(text, "denied connect"); got != maxReports {
		t.Errorf("got %d reports, want %d", got, maxReports)
	}
	if !strings.Contains(text, "to allow it: ") || !strings.Contains(text, "10.0.0.0:80") {
		t.Errorf("got %.300q, want the request and the rule that allows it", text)
	}
}

func TestWithWorkingDir(t *testing.T) {
	for _, row := range [][2][]string{
		{{"A=b"}, {"A=b", "PWD=/x"}}, {{"PWD=/y"}, {"PWD=/y"}}, {nil, {"PWD=/x"}},
	} {
		if got := withWorkingDir(row[0], "/x"); !slices.Equal(got, row[1]) {
			t.Errorf("got %q, want %q", got, row[1])
		}
	}
}

// TestCompileLeavesOnlyTheCache compiles a module twice, of which the second is in the cache.
func TestCompileLeavesOnlyTheCache(t *testing.T) {
	wasm, err := os.ReadFile("../../../../bench/hello.wasm")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "cache")
	old := filepath.Join(dir, privateDirs, "old")
	if err := os.MkdirAll(old, 0o700); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-2 * stale)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	var key []byte
	var times []time.Time
	for range 2 {
		if _, err := compile(t.Context(), dir, 1<<30, wasm); err != nil {
			t.Fatal(err)
		}
		now, err := os.ReadFile(filepath.Join(dir, keyFile))
		if err != nil || key != nil && string(now) != string(key) {
			t.Fatalf("got key %x, %v, want %x", now, err, key)
		}
		key = now
		left, err := os.ReadDir(filepath.Join(dir, privateDirs))
		if err != nil || len(left) > 0 {
			t.Errorf("got %v, %v in the private directory, want nothing", left, err)
		}
		entries, err := filepath.Glob(filepath.Join(dir, modulesDir, "*"))
		if err != nil || len(entries) != 1 {
			t.Fatalf("got %q, %v in the cache, want one module", entries, err)
		}
		info, err := os.Stat(entries[0])
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, info.ModTime())
	}
	if !times[0].Equal(times[1]) {
		t.Errorf("got an entry of %v, then of %v, want the first to be used", times[0], times[1])
	}
}

// TestCacheIsBounded trims files of 10 bytes to 25, and then compiles a module that takes more.
func TestCacheIsBounded(t *testing.T) {
	wasm, err := os.ReadFile("../../../../bench/hello.wasm")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	modules := filepath.Join(dir, modulesDir)
	if err := os.Mkdir(modules, 0o700); err != nil {
		t.Fatal(err)
	}
	list := func() []string {
		entries, err := os.ReadDir(modules)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	for i, name := range []string{"newest", "oldest", "old", "new"} {
		path := filepath.Join(modules, name)
		age := []time.Duration{1, 4, 3, 2}[i] * time.Hour
		if err := os.WriteFile(path, make([]byte, 10), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	trim(modules, 25)
	if got, want := list(), []string{"new", "newest"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := compile(t.Context(), dir, 25, wasm); err != nil {
		t.Fatal(err)
	}
	if got := list(); len(got) > 0 {
		t.Errorf("got %q beside a module that is larger than the cache, want nothing", got)
	}
}

// TestCompileWithoutCache compiles where the cache cannot be made.
func TestCompileWithoutCache(t *testing.T) {
	wasm, err := os.ReadFile("../../../../bench/hello.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", "/dev/null/cache"} {
		if _, err := compile(t.Context(), dir, 1<<30, wasm); err != nil {
			t.Errorf("cache %q: got %v, want a module", dir, err)
		}
	}
}
