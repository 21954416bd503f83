package needs

import (
	"strings"
	"testing"
)

// exceptions maps a test to the reason why it cannot pass on a stand-in for a system. Its name is
// that of testing.T.Name, or a part of it between slashes: a row of a suite that several packages
// run is named without the tests that run it. Subtests are named with their tests.
type exceptions map[string]string

// wine is how Wine 10 differs from Windows as Microsoft documents it.
var wine = exceptions{
	"junctions":      "mklink /J and FSCTL_SET_REPARSE_POINT are not supported",
	"symbolic_links": noSymlinks,
	// A connected socket is told of an ICMP message: WSARecvFrom returns WSAECONNRESET (Microsoft's
	// reference of recvfrom). Wine tells nothing, and WSAPoll waits.
	"datagrams_to_nobody":     noRefusal,
	"TestLookupWithoutAnswer": noRefusal,
	"TestUDPClosedPort":       noRefusal,
	// Wine leaves IP_MULTICAST_ALL of the Linux beneath as it is. On Windows a socket receives from
	// the groups that it joined itself.
	"TestRecvOfGroupJoinedByOtherProgram/ipv4":       everyGroup,
	"TestAdoptedSocketReceivesOnlyJoinedGroups/udp4": everyGroup,
	"control_data_with_a_source":                     "WSASendMsg leaves control data out",
	// After a reset WSARecv returns WSAECONNRESET (Microsoft's reference of it).
	"TestCallsAfterConnectionReset": "now and then a receive finds the end of the stream instead",
	"Ctrl-Break":                    "GenerateConsoleCtrlEvent does not return for this event",

	"TestImportWithWrongPointerOrDescriptor/path_readlink": noSymlinks,
	"TestImportWithWrongPointerOrDescriptor/path_symlink":  noSymlinks,
}

const (
	noSymlinks = "CreateSymbolicLink returns success and makes nothing"
	noRefusal  = "Wine does not tell that a datagram's port is closed"
	everyGroup = "a socket on every IPv4 address receives from the groups of all programs"
)

// maxWine bounds the exceptions for Wine: more would make a run there say little about Windows.
const maxWine = 15

// NotWine skips the test under Wine, for the reason that the table wine has. A test that it lacks
// fails, on every system.
func NotWine(t testing.TB) {
	t.Helper()
	wine.except(t, "Wine", onWine())
}

// Links runs the part of a test that needs symbolic links, which Wine lacks.
func Links(t *testing.T, test func(t *testing.T)) {
	t.Run("symbolic links", func(t *testing.T) {
		NotWine(t)
		test(t)
	})
}

func (e exceptions) except(t testing.TB, standIn string, runs bool) {
	t.Helper()
	reason := e.reason(t.Name())
	if reason == "" {
		t.Fatalf("got no exception for %s on %s, want one in the table of package needs", t.Name(),
			standIn)
	} else if runs {
		t.Skipf("skipped %s on %s: %s", t.Name(), standIn, reason)
	}
}

func (e exceptions) reason(test string) string {
	for name, reason := range e {
		if strings.Contains("/"+test+"/", "/"+name+"/") {
			return reason
		}
	}
	return ""
}
