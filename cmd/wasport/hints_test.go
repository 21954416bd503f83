package main

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// hintTest is a run that is refused until it has the flags of all hints.
type hintTest struct {
	name string
	// run has flags and the words of the guest.
	run string
	// hints has the flags in the order in which refusals name them.
	hints []string
	// refused has runs that none of these flags allows.
	refused []string
}

// hintTests returns the tests of hints. port is a UDP port on which a socket is open.
func hintTests(port uint16) []hintTest {
	return []hintTest{
		{"connect", "tcp_client.wasm 127.0.0.1 9 x", []string{"--allow-connect tcp://127.0.0.1:9"},
			[]string{"tcp_client.wasm 127.0.0.1 10 x", "tcp_client.wasm 127.0.0.2 9 x",
				"udp_client.wasm 127.0.0.1 9 x", "tcp_client.wasm ::1 9 x"}},
		{"connect by IPv6", "tcp_client.wasm ::1 9 x", []string{`--allow-connect "tcp://[::1]:9"`},
			[]string{"tcp_client.wasm ::1 10 x", "tcp_client.wasm 127.0.0.1 9 x",
				"udp_client.wasm ::1 9 x"}},
		{"connect to a v4-mapped address", "tcp_client.wasm ::ffff:127.0.0.1 9 x",
			[]string{"--allow-connect tcp://127.0.0.1:9"},
			[]string{"tcp_client.wasm ::ffff:127.0.0.2 9 x"}},
		{"connect to 0.0.0.0", "tcp_client.wasm 0.0.0.0 9 x",
			[]string{"--allow-connect tcp://127.0.0.1:9"}, nil},
		{"connect beside other rules",
			"--allow-connect '*' --allow-connect tcp://127.0.0.1:10 tcp_client.wasm 127.0.0.1 9 x",
			[]string{"--allow-connect tcp://127.0.0.1:9"},
			[]string{"tcp_client.wasm 127.0.0.2 9 x"}},
		{"send", fmt.Sprintf("--timeout 3s udp_client.wasm 127.0.0.1 %d x", port),
			[]string{fmt.Sprintf("--allow-connect udp://127.0.0.1:%d", port)},
			[]string{fmt.Sprintf("udp_client.wasm 127.0.0.2 %d x", port),
				fmt.Sprintf("tcp_client.wasm 127.0.0.1 %d x", port)}},
		{"serve TCP", "tcp_server.wasm 127.0.0.1 0", []string{"--allow-listen tcp://127.0.0.1:0"},
			[]string{"tcp_server.wasm 127.0.0.2 0", "udp_server.wasm 127.0.0.1 0",
				"tcp_client.wasm 127.0.0.1 9 x"}},
		{"serve UDP", "udp_server.wasm 127.0.0.1 0", []string{"--allow-listen udp://127.0.0.1:0"},
			[]string{"tcp_server.wasm 127.0.0.1 0", "udp_server.wasm 0.0.0.0 0"}},
		{"serve everywhere", "tcp_server.wasm 0.0.0.0 0",
			[]string{"--allow-listen tcp://0.0.0.0:0"},
			[]string{"tcp_server.wasm 127.0.0.1 0", "tcp_server.wasm :: 0"}},
		{"look up", "--hosts db.test=127.0.0.8 lookup.wasm DB.test. 80 4 tcp",
			[]string{"--allow-resolve db.test"},
			[]string{"lookup.wasm x.db.test 80 4 tcp", "lookup.wasm other.test 80 4 tcp"}},
		{"look up a name with a loopback address",
			"--hosts db.test=127.0.0.8 --allow-connect db.test:5432 lookup.wasm db.test 5432 4 tcp",
			[]string{"--allow-connect 127.0.0.8:5432"},
			[]string{"tcp_client.wasm 127.0.0.8 9 x", "tcp_client.wasm 127.0.0.9 5432 x"}},
		{"look up a name with many loopback addresses",
			"--hosts db.test=127.0.0.2,127.0.0.3,127.0.0.4,127.0.0.5,127.0.0.6,127.0.0.7 " +
				"--allow-connect tcp://db.test:5432 lookup.wasm db.test 5432 4 tcp",
			[]string{`--allow-connect "tcp://127.0.0.2:5432 tcp://127.0.0.3:5432 ` +
				`tcp://127.0.0.4:5432 tcp://127.0.0.5:5432 tcp://127.0.0.6:5432 ` +
				`tcp://127.0.0.7:5432"`},
			[]string{"udp_client.wasm 127.0.0.7 5432 x", "tcp_client.wasm 127.0.0.8 5432 x"}},
		{"join", "multicast.wasm receive 239.1.2.3 127.0.0.1 0",
			[]string{"--allow-listen udp://0.0.0.0:0", "--allow-join udp://239.1.2.3",
				"--allow-listen udp://127.0.0.1:0"},
			[]string{"multicast.wasm receive 239.1.2.4 127.0.0.1 0"}},
		{"send to a group", "multicast.wasm send 239.1.2.3 9 127.0.0.1 x",
			[]string{"--allow-listen udp://127.0.0.1:0",
				"--allow-connect udp://239.1.2.3:9"},
			[]string{"multicast.wasm send 239.1.2.4 9 127.0.0.1 x",
				"multicast.wasm receive 239.1.2.3 127.0.0.1 0"}},
	}
}

var hint = regexp.MustCompile(
	`(?m)^         to (?:allow it|leave it in): (?:.* if it is a server: )?(--.*)$`)

// runInShell runs a guest with flags, both in the syntax of a shell, and returns stderr.
func runInShell(flags, run string) string {
	words := regexp.MustCompile(`(\w+\.wasm)`).ReplaceAllString(run, "../../internal/guests/$1")
	cmd := exec.Command("sh", "-c", "exec wasport run "+flags+" "+words)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Run()
	return stderr.String()
}

// TestHintsAllowWhatWasRefused adds the flag of each refusal until the guest runs. Each flag is
// needed, and together they allow no neighbouring request.
func TestHintsAllowWhatWasRefused(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("hints are for a shell")
	}
	open, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	for _, test := range hintTests(netip.MustParseAddrPort(open.LocalAddr().String()).Port()) {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(test.name, "IPv6") {
				l, err := net.Listen("tcp", "[::1]:0")
				if err != nil {
					t.Skip("this host has no IPv6")
				}
				l.Close()
			}
			test.check(t)
		})
	}
}

func (test *hintTest) check(t *testing.T) {
	isDenied := func(stderr string) bool { return strings.Contains(stderr, "wasport: denied ") }
	isFiltered := func(stderr string) bool { return strings.Contains(stderr, "wasport: left ") }
	flags := ""
	for _, want := range test.hints {
		stderr := runInShell(flags, test.run)
		m := hint.FindStringSubmatch(stderr)
		if m == nil {
			t.Fatalf("with %q: got no hint, want %q: %s", flags, want, stderr)
		}
		if m[1] != want {
			t.Fatalf("with %q: got hint %q, want %q", flags, m[1], want)
		}
		flags += " " + m[1]
	}
	if got := runInShell(flags, test.run); isDenied(got) || isFiltered(got) {
		t.Errorf("with %q: got %s, want no refusal", flags, got)
	}
	for i, hint := range test.hints {
		fewer := " " + strings.Join(slices.Delete(slices.Clone(test.hints), i, i+1), " ")
		if got := runInShell(fewer, test.run); !isDenied(got) && !isFiltered(got) {
			t.Errorf("without %q: got %s, want a refusal", hint, got)
		}
	}
	for _, run := range test.refused {
		if got := runInShell(flags, run); !isDenied(got) {
			t.Errorf("%s with %q: got %s, want a refusal", run, flags, got)
		}
	}
}

// TestHintForRuleWithLocalhost follows the hint of the warning about the name localhost in a rule.
func TestHintForRuleWithLocalhost(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("hints are for a shell")
	}
	stderr := runInShell("--allow-connect tcp://localhost:9", "tcp_client.wasm 127.0.0.1 9 x")
	m := regexp.MustCompile(`; write (--.*) and (--.*)\n`).FindStringSubmatch(stderr)
	if m == nil {
		t.Fatalf("got %s, want flags to write", stderr)
	}
	connect, resolve := m[1], m[2]
	if want := `--allow-connect "tcp://127.0.0.1:9 tcp://[::1]:9"`; connect != want ||
		resolve != "--allow-resolve localhost" {
		t.Errorf("got %s and %s, want %s and --allow-resolve localhost", connect, resolve, want)
	}
	for _, run := range []string{"tcp_client.wasm 127.0.0.1 9 x", "lookup.wasm localhost 9 4 tcp"} {
		if got := runInShell(connect+" "+resolve, run); strings.Contains(got, "denied") {
			t.Errorf("%s: got %s, want no refusal", run, got)
		}
	}
	for flags, run := range map[string]string{connect: "lookup.wasm localhost 9 4 tcp",
		resolve: "tcp_client.wasm 127.0.0.1 9 x"} {
		if got := runInShell(flags, run); !strings.Contains(got, "denied") {
			t.Errorf("%s with %s alone: got %s, want a refusal", run, flags, got)
		}
	}
	const otherPort = "tcp_client.wasm 127.0.0.1 10 x"
	if got := runInShell(connect+" "+resolve, otherPort); !strings.Contains(got, "denied") {
		t.Errorf("another port: got %s, want a refusal", got)
	}
}
