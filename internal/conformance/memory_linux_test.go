package conformance

import (
	"testing"

	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/network/virtual"
)

// newMemoryHost makes a host in a world of its own. Names and services beyond it are the machine's,
// which the programs know.
func newMemoryHost(t *testing.T) memoryHost {
	t.Helper()
	w := virtual.New()
	h, err := w.Host("host")
	if err != nil {
		t.Fatal(err)
	}
	w.Gateway(kernel.New(kernel.Config{}))
	return memoryHost{h}
}

type memoryHost struct{ *virtual.Host }

func (h memoryHost) peers() peers { return peers{h.Listen, h.ListenPacket} }

// memoryDifferences lists, for each program, texts of the lines that differ in memory from the
// machine's, besides machineLines. The empty text stands for a program that cannot run there.
var memoryDifferences = map[string][]string{
	// Its datagrams have no control messages.
	"cmsg": {""},
	// The interfaces of a host are lo and eth0, with addresses of its own.
	"interfaces": {"eth", "listed"},
	// It has no files.
	"unix": {""},
}

func compareInMemory(t *testing.T, name, family, got, want string) {
	t.Helper()
	texts, ok := memoryDifferences[name]
	if !ok {
		texts = machineLines[name+" IPv"+family]
	}
	comparePrinted(t, dropLines(got, texts), dropLines(want, texts))
}
