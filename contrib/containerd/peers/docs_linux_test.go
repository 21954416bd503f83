package peers

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const document = "../../../docs/kubernetes.md"

// TestDocument runs the commands of docs/kubernetes.md one after the other, with the containerd of
// Debian, and compares their output. A block that names a file is a part of that file.
func TestDocument(t *testing.T) {
	require(t)
	n := startNode(t, releases()[0])
	n.pod() // makes the bridge: commands name its address
	n.documentImages()
	page := n.read(document)
	blocks := regexp.MustCompile("(?ms)^```([a-z]+) ?(\\S*)\n(.*?)^```$")
	for _, m := range blocks.FindAllStringSubmatch(page, -1) {
		if m[2] != "" && !strings.Contains(n.read("../../../"+m[2]), m[3]) {
			t.Errorf("got a block that is not in %s, want a part of it:\n%s", m[2], m[3])
		}
		if m[1] == "console" {
			n.console(m[3])
		}
	}
}

// documentImages loads the images of the document where its commands look for them.
func (n *node) documentImages() {
	n.Helper()
	for name, module := range map[string]string{
		"client": "internal/guests/tcp_client.wasm", "sleep": waiting,
	} {
		i := moduleImage(n, "registry.example/"+name+":1", readModule(n, module))
		n.load(namespace, i)
	}
}

// console runs the commands of a block, and compares the output of each.
func (n *node) console(block string) {
	n.Helper()
	for _, part := range strings.Split("\n"+block, "\n$ ")[1:] {
		command, want, _ := strings.Cut(part, "\n")
		cmd := exec.Command("sh", "-c", `ctr() { "$CTR" --address "$AT" "$@"; }
			`+command+" 2>&1")
		cmd.Env = append(os.Environ(), "CTR="+n.ctr, "AT="+n.socket(),
			"CONTAINERD_NAMESPACE="+namespace)
		out, _ := cmd.CombinedOutput()
		// The two streams of a container come by different ways, in either order.
		if !slices.Equal(sortedLines(string(out)), sortedLines(want)) {
			n.Errorf("$ %s\ngot\n%s\nwant\n%s", command, out, want)
		}
	}
}

func sortedLines(text string) []string {
	return slices.Sorted(strings.SplitSeq(strings.TrimSpace(text), "\n"))
}
