package networktest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/wasport/wasport/network"
)

// TestInitialValuesAreDocumented compares the table with docs/platforms.md.
func TestInitialValuesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/platforms.md")
	if err != nil {
		t.Fatal(err)
	}
	names := map[network.Option]string{network.TTL: "IP_TTL",
		network.HopLimit: "IPV6_UNICAST_HOPS", network.KeepInterval: "TCP_KEEPINTVL",
		network.KeepCount: "TCP_KEEPCNT"}
	onLinux := make(map[network.Option]int64)
	for _, o := range optionValues {
		onLinux[o.option] = o.initial
	}
	for system, values := range initialElsewhere {
		for o := range values {
			if names[o] == "" {
				t.Errorf("%s: got a value of option %d, want a row in the document", system, o)
			}
		}
	}
	for o, name := range names {
		row := fmt.Sprintf("| `%s` |", name)
		for _, system := range []string{"linux", "windows", "darwin", "freebsd", "netbsd",
			"dragonfly"} {
			e := env{options: Options{System: system}}
			row += fmt.Sprintf(" %d |", e.initial(o, onLinux[o]))
		}
		if !strings.Contains(string(text), row) {
			t.Errorf("got no row %q, want it", row)
		}
	}
}
