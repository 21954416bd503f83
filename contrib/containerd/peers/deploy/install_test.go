package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A host is a directory that stands for a node, with the files of the installer's image beside it.
type host struct{ dir, source, restarted string }

func newHost(t *testing.T, config string) host {
	t.Helper()
	dir := t.TempDir()
	h := host{dir + "/host", dir + "/source", dir + "/restarted"}
	for name, text := range map[string]string{
		"source/containerd-shim-wasport-v1":  "the shim",
		"source/containerd.toml":             "allow = []\n",
		"host/etc/containerd/config.toml":    config,
		"host/etc/containerd/other/kept.txt": "",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// run runs the installer; restart is the command that restarts containerd.
func (h host) run(t *testing.T, restart string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{manifests + "/install.sh"}, args...)...)
	cmd.Env = append(os.Environ(), "HOST="+h.dir, "SOURCE="+h.source, "RESTART="+restart)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (h host) config(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(h.dir, "etc/containerd/config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (h host) restarts() int {
	text, _ := os.ReadFile(h.restarted)
	return len(text)
}

func TestInstaller(t *testing.T) {
	const own = "[plugins.'x']\nroot = '\\t\\n'\n"
	for _, row := range []struct{ name, config, plugin string }{
		{"containerd 1.x", "version = 2\n" + own, "io.containerd.grpc.v1.cri"},
		{"containerd 2.x", "version = 3\n" + own, "io.containerd.cri.v1.runtime"},
		{"a later version", "version = 4\n" + own, "io.containerd.cri.v1.runtime"},
		{"no configuration", "", "io.containerd.grpc.v1.cri"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t, row.config)
			count := "dd if=/dev/zero bs=1 count=1 oflag=append conv=notrunc of=" + h.restarted
			for range 2 { // the second time changes nothing
				if out, err := h.run(t, count); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			table := `[plugins."` + row.plugin + `".containerd.runtimes.wasport]`
			got := h.config(t)
			if strings.Count(got, table) != 1 || !strings.HasPrefix(got, row.config) {
				t.Errorf("got\n%s\nwant it to begin as it was, and %s once", got, table)
			}
			if got := h.restarts(); got != 1 {
				t.Errorf("got %d restarts of containerd, want 1", got)
			}
			shim, err := os.Stat(filepath.Join(h.dir, "usr/local/bin/containerd-shim-wasport-v1"))
			if err != nil || shim.Mode().Perm() != 0o755 {
				t.Errorf("got %v and %v for the shim, want a program of mode 755", err, shim)
			}
			if out, err := h.run(t, count, "uninstall"); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			want := row.config
			if want == "" {
				want = "version = 2\n"
			}
			if got := h.config(t); got != want {
				t.Errorf("got the configuration %q after uninstall, want %q", got, want)
			}
			if left, _ := filepath.Glob(h.dir + "/*/*/*wasport*"); len(left) > 0 {
				t.Errorf("got %v left after uninstall, want nothing", left)
			}
		})
	}
}

func TestInstallerRefuses(t *testing.T) {
	for _, row := range []struct {
		name, config, restart, want string
		args                        []string
	}{
		{"an old configuration", "root = '/x'\n", "true",
			`config.toml has version "", want 2 or newer: containerd config migrate`, nil},
		{"containerd that does not start", "version = 2\n", "false",
			"failed: false; ", nil},
		{"another word", "version = 2\n", "true", `got "remove", want nothing or uninstall`,
			[]string{"remove"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t, row.config)
			out, err := h.run(t, row.restart, row.args...)
			if err == nil || !strings.Contains(out, row.want) {
				t.Errorf("got %v and %q, want a failure and %q", err, out, row.want)
			}
			if got := h.config(t); got != row.config {
				t.Errorf("got the configuration %q, want it as it was: %q", got, row.config)
			}
		})
	}
}
