package peers

import (
	"archive/tar"
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// prober tries to reach the paths that are its arguments in every way.
const prober = "internal/guests/escape.wasm"

const secret = "secret of the node"

// An attempt is something by which an image or a guest would reach the node. docs/kubernetes.md has
// a row for each name. NODE stands for a directory of the node.
type attempt struct {
	name   string
	files  []file // of the image
	module string // of the image; the prober if nothing is said
	entry  string // the entry point, if it is not the module
	user   string
	flags  []string
	args   []string
	// refused is in the output if the container or the guest's call is refused.
	refused string
}

func link(name, target string) file { return file{name: name, link: target} }

func attempts() []attempt {
	const up = "../../../../../../.."
	const client = "internal/guests/tcp_client.wasm"
	metadata := []string{"169.254.169.254", "80", "x"}
	everything := "wasport.dev/policy=" + `allow = ["connect any", "listen any", "resolve *"]`
	volume := "type=bind,src=NODE/volume,dst=/mnt/x,options=rbind:rw"
	return []attempt{
		{name: "a path with ..", args: []string{up + "NODE/secret", "/NODE/secret"}},
		{name: "a link to a file of the node",
			files: []file{link("a", "NODE/secret"), link("b", up+"NODE/secret")},
			args:  []string{"a", "b"}},
		{name: "a link to a directory of the node",
			files: []file{link("a", "NODE"), link("b", "/")},
			args:  []string{"a/secret", "b/NODE/secret"}},
		{name: "a link that the guest makes",
			args: []string{up + "NODE/secret=>made", "NODE=>dir", "made", "dir/secret"}},
		{name: "/proc of the node", files: []file{link("p", "/proc/1/root")},
			args: []string{"proc/1/rootNODE/secret", "pNODE/secret", "proc/self/fd/3"}},
		{name: "a device in the image", files: []file{{name: "zero", kind: tar.TypeChar}},
			args: []string{"zero"}, refused: "open zero 2 EACCES"},
		{name: "a module that is a link to the node",
			files: []file{link("m.wasm", "NODE/module.wasm")}, entry: "/m.wasm",
			refused: `there is no module "m.wasm"`},
		{name: "a module that is a FIFO", files: []file{{name: "m.wasm", kind: tar.TypeFifo}},
			entry: "/m.wasm", refused: `"/m.wasm" in the container is no regular file`},
		{name: "a mount point that is a link to the node", files: []file{link("mnt", "NODE/owned")},
			flags: []string{"--mount", volume}, refused: `mount at "/mnt/x": no such file`},
		{name: "a file of root in a volume, as another user", user: "65532:65532",
			flags: []string{"--mount", volume}, args: []string{"mnt/x/root"},
			refused: "open mnt/x/root 2 EACCES"},
		{name: "the cloud's metadata, by a policy beyond the ceiling", module: client,
			flags: []string{"--annotation", everything}, args: metadata,
			refused: "denied connect tcp 169.254.169.254:80"},
		{name: "the shim's configuration, by the environment", module: client,
			flags: []string{"--annotation", everything, "--env",
				"WASPORT_CONTAINERD_CONFIG=/none"},
			args: metadata, refused: "denied connect tcp 169.254.169.254:80"},
		{name: "a policy file that is a link to the node", files: []file{link("p", "NODE/secret")},
			flags:   []string{"--annotation", "wasport.dev/policy-file=/p"},
			refused: "no such file"},
		{name: "a policy file in a volume that the guest may write to",
			flags: []string{"--mount", volume, "--annotation",
				"wasport.dev/policy-file=/mnt/x/root"},
			refused: "the guest could change"},
		{name: "a hosts file in the image, for a name in the policy",
			files:  []file{{name: "etc/hosts", content: []byte("10.0.0.9 db.test\n")}},
			module: "internal/guests/lookup.wasm", args: []string{"db.test", "80", "4", "tcp"},
			flags: []string{"--annotation", everything}, refused: "error EAI_AGAIN"},
		{name: "a policy that does not parse",
			flags:   []string{"--annotation", "wasport.dev/policy=" + strings.Repeat("[", 1000)},
			refused: "annotation wasport.dev/policy"},
		{name: "a name of a pod that is a path",
			flags: []string{"--annotation", "io.kubernetes.cri.sandbox-id=" + up + "NODE/owned"},
			args:  []string{"none"}},
	}
}

// image makes the image of an attempt, and loads it.
func (a attempt) image(n *node) image {
	n.Helper()
	i := moduleImage(n, "wasport.test/hostile:"+strconv.Itoa(counter()),
		readModule(n, cmp.Or(a.module, prober)))
	if a.entry != "" {
		i.config["Entrypoint"] = []string{a.entry}
	}
	i.config["User"] = a.user
	var files []file
	for _, f := range a.files {
		f.link = n.named(f.link)
		files = append(files, f)
	}
	i.layers = append(i.layers, layer(n, files...))
	n.load(namespace, i)
	return i
}

// named puts the directory of the node in the place of its name.
func (n *node) named(s string) string { return strings.ReplaceAll(s, "NODE", n.dir) }

// spec describes the run of an attempt.
func (a attempt) spec(n *node) spec {
	n.Helper()
	s := spec{image: a.image(n)}
	if a.args != nil {
		s.args = []string{"/guest.wasm"}
	}
	for _, arg := range a.args {
		s.args = append(s.args, n.named(arg))
	}
	for _, flag := range a.flags {
		s.flags = append(s.flags, n.named(flag))
	}
	return s
}

// Nothing that an image or a guest tries reaches the node: no file of it is read or changed, and
// what cannot be run safely is not run.
func TestHostileImagesAndGuests(t *testing.T) {
	eachRelease(t, func(t *testing.T, n *node) {
		n.write("secret", secret)
		n.write("owned/secret", secret)
		n.write("volume/root", secret)
		if err := os.Chmod(n.path("volume/root"), 0o600); err != nil {
			t.Fatal(err)
		}
		n.write("module.wasm", string(readModule(t, "cmd/wasport/testdata/module/hello.wasm")))
		before := n.files()
		for _, a := range attempts() {
			t.Run(a.name, func(t *testing.T) {
				out, err := n.run(a.spec(n))
				if strings.Contains(out, secret) {
					t.Errorf("got the secret:\n%s", out)
				}
				if a.refused == "" && err != nil || !strings.Contains(out, a.refused) {
					t.Errorf("got %v and\n%s\nwant %q", err, out, a.refused)
				}
				if after := n.files(); after != before {
					t.Errorf("got the files\n%s\nof the node, want\n%s", after, before)
				}
			})
		}
	})
}

// files lists the files that attempts would change.
func (n *node) files() string {
	n.Helper()
	var all strings.Builder
	for _, pattern := range []string{"secret", "owned/*", "module.wasm", "volume/*"} {
		names, err := filepath.Glob(n.path(pattern))
		if err != nil {
			n.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				n.Fatal(err)
			}
			all.WriteString(name + " " + string(text[:min(len(text), 64)]) + "\n")
		}
	}
	return all.String()
}

// The document has a row for each attempt.
func TestDocumentHasAttempts(t *testing.T) {
	page, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| ([^|]+) \|`)
	documented := map[string]bool{}
	for _, row := range rows.FindAllStringSubmatch(string(page), -1) {
		documented[strings.ReplaceAll(row[1], "`", "")] = true
	}
	for _, a := range attempts() {
		if !documented[a.name] {
			t.Errorf("got no row %q in docs/kubernetes.md, want one", a.name)
		}
	}
}
