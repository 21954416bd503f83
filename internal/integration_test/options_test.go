package integration_test

import (
	"strings"
	"testing"
)

// TestSocketOptionsReadBack sets every option on sockets of both types, and compares the value that
// a get returns.
func TestSocketOptionsReadBack(t *testing.T) {
	forEachFamily(t, func(t *testing.T, _, number string) {
		out := runGuest(t, 0, "options", number)
		seen := 0
		for line := range strings.Lines(out) {
			fields := strings.Fields(line) // TYPE NAME default=V set=V get=V
			if len(fields) < 3 {
				t.Errorf("got %q, want a type, a name and values", line)
				continue
			}
			typ, name := fields[0], fields[1]
			values := map[string]string{}
			for _, f := range fields[2:] {
				key, value, _ := strings.Cut(f, "=")
				values[key] = value
			}
			seen++
			tcpOnly := strings.HasPrefix(name, "TCP_")
			udp := typ == "dgram" || typ == "udp"
			switch {
			case tcpOnly && udp:
				if values["get"] != "ENOPROTOOPT" && values["default"] != "ENOPROTOOPT" &&
					values["default"] != "ENOTSUP" {
					t.Errorf("got %q for a TCP option on datagrams, want ENOPROTOOPT", line)
				}
			case strings.HasSuffix(name, "BUF"): // the host may give more than was asked for
				if values["get"] == "0" || strings.HasPrefix(values["get"], "E") {
					t.Errorf("got %q, want a size", line)
				}
			case name == "TCP_MAXSEG": // known only once connected
			case strings.HasPrefix(name, "IP_MULTICAST") ||
				strings.HasPrefix(name, "IPV6_MULTICAST"):
				if udp && values["set"] != values["get"] {
					t.Errorf("got %q, want the value that was set", line)
				}
			case values["set"] != values["get"]:
				t.Errorf("got %q, want the value that was set", line)
			}
		}
		if seen < 2*25 {
			t.Errorf("got %d options, want at least %d: %s", seen, 2*25, out)
		}
	})
}
