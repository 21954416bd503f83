package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasport/wasport/policy"
)

func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// allows tells whether a policy allows a request in the words of a rule.
func allows(t *testing.T, p *policy.Policy, request string) bool {
	t.Helper()
	r, err := policy.ParseRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	return p.Decide(r, nil).Allowed
}

const ceiling = `
ceiling = '''
allow = ["connect tcp://10.0.0.0/8:443", "listen tcp://0.0.0.0"]
deny = ["connect metadata"]
[limits]
sockets = 10
'''
`

func TestNoPolicyGoesBeyondTheCeiling(t *testing.T) {
	for _, row := range []struct{ name, config, policy, request string }{
		{"another port", ceiling, `allow = ["connect any"]`, "connect tcp://10.0.0.1:80"},
		{"another address", ceiling, `allow = ["connect any"]`, "connect tcp://8.8.8.8:443"},
		{"denied by the ceiling", ceiling, `allow = ["connect any"]`,
			"connect tcp://169.254.169.254:80"},
		{"another action", ceiling, `allow = ["resolve *"]`, "resolve example.com"},
		{"a range", ceiling + `ranges.cluster = ["192.168.0.0/16"]`,
			`allow = ["connect tcp://@cluster:443"]`, "connect tcp://192.168.0.1:443"},
		{"denied by itself", ceiling,
			`allow = ["connect any"]` + "\n" + `deny = ["connect 10.0.0.1"]`,
			"connect tcp://10.0.0.1:443"},
		{"an empty ceiling", "ceiling = ''", `allow = ["connect any"]`,
			"connect tcp://8.8.8.8:443"},
		{"an empty policy", "", "", "connect tcp://8.8.8.8:443"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := mustParse(t, row.config).Policy("policy", &row.policy)
			if err != nil {
				t.Fatal(err)
			}
			if allows(t, p, row.request) {
				t.Errorf("got %s allowed, want it denied", row.request)
			}
		})
	}
	text := "allow = [\"connect any\"]\n[limits]\nsockets = 100"
	p, err := mustParse(t, ceiling).Policy("policy", &text)
	if err != nil {
		t.Fatal(err)
	}
	if !allows(t, p, "connect tcp://10.0.0.1:443") {
		t.Error("got a connect denied that both allow, want it allowed")
	}
	if got := p.Limits().Sockets; got != 10 {
		t.Errorf("got a limit of %d sockets, want the ceiling's 10", got)
	}
}

func TestGuestWithoutPolicy(t *testing.T) {
	const request = "connect tcp://8.8.8.8:443"
	for _, row := range []struct {
		name, config string
		want         bool
	}{
		{"nothing configured", "", false},
		{"a ceiling alone", `ceiling = 'allow = ["connect any"]'`, false},
		{"a default", `default_policy = 'allow = ["connect any"]'`, true},
		{"a default beyond the ceiling",
			ceiling + `default_policy = 'allow = ["connect any"]'`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := mustParse(t, row.config).Policy("", nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := allows(t, p, request); got != row.want {
				t.Errorf("got allowed %v, want %v", got, row.want)
			}
		})
	}
}

func TestRanges(t *testing.T) {
	c := mustParse(t, `
[ranges]
services = ["10.96.0.0/12", "fd00::/108"]
pods = ["10.244.0.0/16"]
`)
	text := `
# mail "x@example.com" says: '@unknown'
allow = [ "connect tcp://@services:443", 'listen tcp://0.0.0.0:80 from @pods' ]
`
	p, err := c.Policy("policy", &text)
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]bool{
		"connect tcp://10.96.0.1:443": true, "connect tcp://[fd00::1]:443": true,
		"connect tcp://10.96.0.1:80": false, "connect tcp://10.244.0.1:443": false,
		"accept tcp://0.0.0.0:80 from 10.244.0.7": true,
		"accept tcp://0.0.0.0:80 from 10.96.0.7":  false,
	} {
		if got := allows(t, p, request); got != want {
			t.Errorf("%s: got allowed %v, want %v", request, got, want)
		}
	}
}

func TestRefusedPolicies(t *testing.T) {
	c := mustParse(t, `ranges.pods = ["10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/24"]`)
	for _, row := range []struct{ name, text, want string }{
		{"unknown range", `allow = ["connect tcp://@nodes:1"]`, "no range @nodes"},
		{"no policy", "allow", "policy:1"},
		{"unknown key", "ceiling = 'x'", "ceiling"},
		{"huge", strings.Repeat("#", MaxPolicy+1), "larger than"},
		{"huge by ranges", "allow = [" + strings.Repeat(`"connect @pods",`, MaxPolicy/17) + "]",
			"too large"},
		{"line of a mistake", "allow = [\n\"connect @pods\",\n\"connect nowhere:x\"]", "policy:3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := c.Policy("policy", &row.text)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want an error with %q", err, row.want)
			}
		})
	}
}

func TestRefusedConfigurations(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"unknown key", "celing = 'x'", "celing"},
		{"no TOML", "ceiling", "expected"},
		{"both", "ceiling = 'x'\nceiling_file = '/x'", "both set"},
		{"missing file", "ceiling_file = '/missing/file'", "/missing/file"},
		{"relative cache", "cache_dir = 'cache'", "no absolute path"},
		{"no range", "ranges.pods = ['10.0.0.0']", "10.0.0.0"},
		{"name of a range", "ranges.'a b' = ['10.0.0.0/8']", "letters"},
		{"size", "limits.memory = '5 apples'", "apples"},
		{"negative", "limits.threads = -1", "negative"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse([]byte(row.text))
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want an error with %q", err, row.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "node.toml")
	t.Setenv(PathVariable, file)
	if c, err := Load(); err == nil {
		t.Errorf("got %+v for a missing file that is named, want an error", c)
	}
	// A ceiling that is an empty file allows nothing, other than none at all.
	empty := filepath.Join(t.TempDir(), "empty.toml")
	text := "ceiling_file = '" + empty + "'\n[limits]\nmemory = '64MiB'\n"
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load()
	if err != nil || c.Limits.Memory != 64<<20 || c.RuncShim != "containerd-shim-runc-v2" {
		t.Fatalf("got %+v, %v, want a limit of 64 MiB and runc's shim", c, err)
	}
	own := `allow = ["connect any"]`
	p, err := c.Policy("policy", &own)
	if err != nil || allows(t, p, "connect tcp://8.8.8.8:443") {
		t.Errorf("got %v, and a connect allowed, want it denied", err)
	}
}

func FuzzExpand(f *testing.F) {
	f.Add(`allow = ["connect @pods:80"]`)
	f.Add(`"@pods@pods" '@pods' #"@x"`)
	ceiling := `allow = ["connect tcp://10.0.0.0/8:443"]`
	c := &Config{Ceiling: &ceiling}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := c.Policy("policy", &text)
		if err == nil && allows(t, p, "connect tcp://8.8.8.8:443") {
			t.Errorf("got a connect beyond the ceiling allowed by %q", text)
		}
	})
}
