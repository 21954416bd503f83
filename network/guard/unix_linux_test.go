package guard_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// unixDir makes addresses of names in a directory, which the guest knows as "/run".
func unixDir(t *testing.T) func(name string) network.UnixAddr {
	dir := t.TempDir()
	return func(name string) network.UnixAddr {
		open := func(use func(uintptr, string) error) error {
			d, err := os.Open(dir)
			must(t, err)
			defer d.Close()
			return use(d.Fd(), name)
		}
		return network.UnixAddr{Path: "/run/" + name, Open: open}
	}
}

func unixSocket(t *testing.T, n network.Network) network.UnixSocket {
	s := open(t, n, network.Unix, network.Stream)
	return s.(network.UnixSocket)
}

// TestUnixPathsAreJudged makes every call that names a path, with a rule and without.
func TestUnixPathsAreJudged(t *testing.T) {
	at := unixDir(t)
	var log auditLog
	var refused []string
	learner := new(policy.Learner)
	p := testutil.Policy(t, "allow listen unix:/run/*", "deny listen unix:/run/secret",
		"allow connect unix:/run/s", "allow connect any", "allow listen any")
	n := guard.New(kernel.New(kernel.Config{}), p, guard.Options{Audit: log.logger(),
		Learner:   learner,
		OnRefusal: func(r *policy.Refusal) { refused = append(refused, r.Error()) }})

	l := unixSocket(t, n)
	wantErr(t, "listen unbound", l.(network.Socket).Listen(1), syscall.EINVAL)
	wantErr(t, "bind where a rule denies", l.BindUnix(at("secret")), syscall.EACCES)
	wantErr(t, "bind", l.BindUnix(at("s")), nil)
	wantErr(t, "bind again", l.BindUnix(at("secret")), syscall.EINVAL)
	wantErr(t, "listen", l.(network.Socket).Listen(1), nil)
	wantErr(t, "connect a listener", l.ConnectUnix(at("secret")), syscall.EINVAL)

	c := unixSocket(t, n)
	wantErr(t, "connect without a rule", c.ConnectUnix(at("other")), syscall.EACCES)
	wantErr(t, "connect", c.ConnectUnix(at("s")), nil)
	wantErr(t, "connect again", c.ConnectUnix(at("other")), syscall.EISCONN)
	wantErr(t, "listen when connected", c.(network.Socket).Listen(1), syscall.EINVAL)
	s := accept(t, l.(network.Socket), time.Now().Add(testTimeout))
	if s == nil {
		t.Fatal("got no connection, want one")
	}
	defer s.Close()
	wantErr(t, "listen when accepted", s.Listen(1), syscall.EINVAL)
	tcp := open(t, n, network.IPv4, network.Stream).(network.UnixSocket)
	wantErr(t, "bind a socket of TCP", tcp.BindUnix(at("secret")), syscall.EAFNOSUPPORT)
	wantErr(t, "connect a socket of TCP", tcp.ConnectUnix(at("other")), syscall.EAFNOSUPPORT)

	var records []string
	for _, r := range log.records(t) {
		at := r["address"]
		if r["action"] == "accept" {
			at = r["local"]
		}
		records = append(records,
			fmt.Sprint(r["action"], " ", r["protocol"], " ", at, " ", r["decision"]))
	}
	if want := []string{
		"bind unix /run/secret denied", "bind unix /run/s allowed", "listen unix /run/s allowed",
		"connect unix /run/other denied", "connect unix /run/s allowed",
		"accept unix /run/s allowed",
	}; !slices.Equal(records, want) {
		t.Errorf("got the records %q, want %q", records, want)
	}
	if want := []string{
		`denied bind unix /run/secret: "deny listen unix:/run/secret" (test) refuses it`,
		`denied connect unix /run/other: no connect rule covers it`,
	}; !slices.Equal(refused, want) {
		t.Errorf("got the refusals %q, want %q", refused, want)
	}
	var rules []string
	for _, r := range learner.Rules() {
		rules = append(rules, r.String())
	}
	if got, want := strings.Join(rules, ", "),
		"allow connect unix:/run/s, allow listen unix:/run/s"; got != want {
		t.Errorf("learnt %q, want %q", got, want)
	}
	if got := n.Counters(); got.Allowed[policy.OpConnect] != 1 || got.Denied[policy.OpBind] != 1 {
		t.Errorf("got %+v, want one connect and one bind that was denied", got)
	}
}

// TestUnixPolicyChanges takes the rule away between bind and listen, and between two connects to a
// full backlog.
func TestUnixPolicyChanges(t *testing.T) {
	at, none := unixDir(t), testutil.Policy(t)
	n := guarded(t, "allow listen unix:*", "allow connect unix:*")
	all := n.Policy()
	l := unixSocket(t, n)
	wantErr(t, "bind", l.BindUnix(at("s")), nil)
	n.SetPolicy(none)
	wantErr(t, "listen without a rule", l.(network.Socket).Listen(0), syscall.EACCES)
	n.SetPolicy(all)
	wantErr(t, "listen", l.(network.Socket).Listen(0), nil)
	c := fillBacklog(t, n, at("s"))
	n.SetPolicy(none)
	wantErr(t, "connect without a rule", c.ConnectUnix(at("s")), syscall.EACCES)
	n.SetPolicy(all)
	accept(t, l.(network.Socket), time.Now().Add(testTimeout)).Close()
	wantErr(t, "connect", c.ConnectUnix(at("s")), nil)
}

// fillBacklog connects until the backlog is full, and returns the socket that found it so.
func fillBacklog(t *testing.T, n network.Network, a network.UnixAddr) network.UnixSocket {
	for range 16 {
		c := unixSocket(t, n)
		switch err := c.ConnectUnix(a); err {
		case nil:
		case network.ErrBacklogFull:
			return c
		default:
			t.Fatalf("got %v, want a full backlog", err)
		}
	}
	t.Fatal("got 16 connections, want a full backlog")
	return nil
}

// TestUnixLimits reaches the limits of sockets and of connects. A socket that waits for room in a
// backlog is charged once.
func TestUnixLimits(t *testing.T) {
	at := unixDir(t)
	limited := func(l policy.Limits) *guard.Network {
		n := guarded(t, "allow listen unix:*", "allow connect unix:*")
		return guard.New(kernel.New(kernel.Config{}), policy.New(n.Policy().Rules(), l),
			guard.Options{})
	}
	n := limited(policy.Limits{Sockets: 2})
	first := unixSocket(t, n)
	unixSocket(t, n)
	_, err := n.Open(network.Unix, network.Stream)
	wantErr(t, "a third socket", err, syscall.EMFILE)
	wantErr(t, "close", first.(network.Socket).Close(), nil)
	unixSocket(t, n)

	l := unixSocket(t, guarded(t, "allow listen unix:*"))
	wantErr(t, "bind", l.BindUnix(at("s")), nil)
	wantErr(t, "listen", l.(network.Socket).Listen(0), nil)
	n = limited(policy.Limits{ConnectsPerSecond: 3})
	c := fillBacklog(t, n, at("s")) // the second connect
	for range 10 {
		wantErr(t, "connect to the full backlog", c.ConnectUnix(at("s")), network.ErrBacklogFull)
	}
	wantErr(t, "the third connect", unixSocket(t, n).ConnectUnix(at("none")), syscall.ENOENT)
	// The limit's error is not that of a full backlog, for which a caller would wait.
	wantErr(t, "the fourth connect", unixSocket(t, n).ConnectUnix(at("none")), syscall.EAGAIN)

	n = limited(policy.Limits{SocketMemory: 1 << 16})
	_, err = n.Open(network.Unix, network.Stream)
	for err == nil {
		_, err = n.Open(network.Unix, network.Stream)
	}
	wantErr(t, "the last socket", err, syscall.ENOBUFS)
}

// TestUnixWithoutSupport uses a Network whose sockets have no paths.
func TestUnixWithoutSupport(t *testing.T) {
	n := guard.New(plainNetwork{kernel.New(kernel.Config{})},
		testutil.Policy(t, "allow connect unix:*"), guard.Options{})
	c := unixSocket(t, n)
	wantErr(t, "connect", c.ConnectUnix(unixDir(t)("s")), syscall.EAFNOSUPPORT)
}

// plainNetwork hides all but the methods of Socket.
type plainNetwork struct{ network.Network }

func (p plainNetwork) Open(f network.Family, typ network.Type) (network.Socket, error) {
	s, err := p.Network.Open(f, typ)
	return struct{ network.Socket }{s}, err
}

// TestUnixRecordsQuoteControlCharacters records a path that a terminal must not see.
func TestUnixRecordsQuoteControlCharacters(t *testing.T) {
	var log auditLog
	n := guard.New(kernel.New(kernel.Config{}), testutil.Policy(t),
		guard.Options{Audit: log.logger()})
	name := "x\x1b]0;title\a" + strings.Repeat("y", 300)
	a := unixDir(t)(name)
	wantErr(t, "connect", unixSocket(t, n).ConnectUnix(a), syscall.EACCES)
	for _, r := range log.records(t) {
		got := r["address"].(string)
		if strings.ContainsAny(got, "\x1b\a") || len(got) > 300 {
			t.Errorf("got the path %q in a record, want it quoted and cut", got)
		}
		if hint := r["hint"].(string); !strings.Contains(hint, "unix:/DIR/*") {
			t.Errorf("got the hint %q, want one for the directory", hint)
		}
	}
}
