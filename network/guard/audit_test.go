package guard_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// auditLog collects the audit records of a guest.
type auditLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *auditLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// records returns the records since the last call, without their times.
func (l *auditLog) records(t testing.TB) (lines []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: got %v, want a JSON record", line, err)
		}
		if r["time"] == nil || r["msg"] != "network decision" {
			t.Errorf("got %q, want a time and the message of every record", line)
		}
		delete(r, "time")
		delete(r, "msg")
		lines = append(lines, r)
	}
	l.text.Reset()
	return lines
}

func (l *auditLog) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, nil)).With("guest", "g")
}

// expect compares the records with lines of "key=value key=value". Spaces in values are written as
// underscores.
func (l *auditLog) expect(t testing.TB, want ...string) {
	t.Helper()
	got := l.records(t)
	var texts []string
	for _, r := range got {
		var words []string
		for k, v := range r {
			words = append(words,
				fmt.Sprintf("%s=%s", k, strings.ReplaceAll(fmt.Sprint(v), " ", "_")))
		}
		slices.Sort(words)
		texts = append(texts, strings.Join(words, " "))
	}
	for i := range want {
		words := append(fields(want[i]), "guest=g")
		slices.Sort(words)
		want[i] = strings.Join(words, " ")
	}
	if !slices.Equal(texts, want) {
		t.Errorf("got the records\n%s\nwant\n%s", strings.Join(texts, "\n"),
			strings.Join(want, "\n"))
	}
}

func TestAuditRecordsEachDecision(t *testing.T) {
	server, base := names(t)
	server.Set("name.test", dnstest.Addrs("93.184.216.34", "127.0.0.1"))
	var l auditLog
	text := "allow = [\n\"connect udp://name.test:53\", \"connect udp://127.0.0.2\",\n  \"listen " +
		"127.0.0.1 from 127.0.0.1\"]"
	p, err := policy.Parse("net.toml", []byte(text))
	must(t, err)
	n := guard.New(base, p, guard.Options{Audit: l.logger()})

	_, err = n.LookupAddrs(t.Context(), network.IPv4, "NAME.test")
	must(t, err)
	l.expect(t, "level=INFO action=resolve name=name.test decision=allowed "+
		"rule=allow_connect_udp://name.test:53 written=net.toml:2:2",
		"level=WARN action=resolve name=name.test decision=filtered addresses=[127.0.0.1] "+
			"reason=a_name_reaches_public_addresses_only hint=--allow-connect_udp://127.0.0.1:53")
	_, err = n.LookupAddrs(t.Context(), network.IPv4, "bad\nname\x1b[2J")
	var notFound *network.LookupError
	if !errors.As(err, &notFound) || notFound.Failure != network.NoSuchHost {
		t.Errorf("lookup of what is no name: got %v, want no such host", err)
	}
	l.expect(t, `level=WARN action=resolve name="bad\nname\x1b[2J" decision=denied reason=it_is_not_a_valid_name`)

	s := open(t, n, network.IPv4, network.Datagram)
	for range 3 { // one decision is for all
		s.Send(nil, at("93.184.216.34:53"))
	}
	_, err = s.Send(nil, at("127.0.0.1:53"))
	wantErr(t, "send", err, syscall.EACCES)
	l.expect(t, "level=INFO action=connect protocol=udp name=name.test address=93.184.216.34:53 "+
		"decision=allowed rule=allow_connect_udp://name.test:53 written=net.toml:2:2",
		"level=WARN action=connect protocol=udp address=127.0.0.1:53 decision=denied "+
			"reason=\"name.test\"_reaches_public_addresses_only,_127.0.0.1_is_loopback "+
			"hint=--allow-connect_udp://127.0.0.1:53")

	u := auditPeers(t, n, &l)
	auditLimits(t, n, &l, u)

	c := n.Counters()
	if c.Allowed[policy.OpConnect] != 3 || c.Denied[policy.OpConnect] != 3 ||
		c.Denied[policy.OpOpen] != 1 || c.Denied[policy.OpReceive] != 1 ||
		c.Denied[policy.OpJoin] != 1 || c.Allowed[policy.OpResolve] != 1 ||
		c.FilteredAddrs != 1 || c.DroppedDatagrams != 1 || c.Limited != 2 {
		t.Errorf("got the counters %+v, want those of the records", c)
	}
}

// auditPeers expects a record for each sender and each refused call of a bound datagram socket, and
// returns the socket.
func auditPeers(t *testing.T, n *guard.Network, l *auditLog) network.Socket {
	t.Helper()
	n.SetPolicy(testutil.Policy(t, "allow listen any from 127.0.0.1", "deny connect loopback"))
	u := open(t, n, network.IPv4, network.Datagram)
	friend, stranger := sender(t, "127.0.0.1"), sender(t, "127.0.0.2")
	must(t, u.Bind(here))
	where := local(t, u)
	send(t, stranger, "x", where)
	send(t, friend, "x", where)
	receive(t, u)
	wantErr(t, "connect", u.Connect(where), syscall.EACCES)
	wantErr(t, "join", u.Join(netip.MustParseAddr("224.0.0.251"), network.Interface{}),
		syscall.EACCES)
	from, away := "local="+where.String()+" action=receive protocol=udp address="+
		local(t, friend).String(), local(t, stranger).String()
	l.expect(t, "level=INFO action=bind protocol=udp address=127.0.0.1:0 decision=allowed "+
		"rule=allow_listen_any_from_127.0.0.1 written=test",
		"level=WARN local="+where.String()+" action=receive protocol=udp address="+away+
			" decision=denied "+
			"rule=deny_connect_loopback written=test "+
			"reason=\"deny_connect_loopback\"_(test)_refuses_it "+
			"hint=take_out_\"deny_connect_loopback\"_(test),_or_make_it_narrower",
		"level=INFO "+from+" decision=allowed rule=allow_listen_any_from_127.0.0.1 written=test",
		"level=WARN action=connect protocol=udp address="+where.String()+
			" decision=denied rule=deny_connect_loopback written=test "+
			"reason=\"deny_connect_loopback\"_(test)_refuses_it "+
			"hint=take_out_\"deny_connect_loopback\"_(test),_or_make_it_narrower",
		"level=WARN action=join protocol=udp address=224.0.0.251 decision=denied "+
			"reason=no_rule_allows_join hint=--allow-join_udp://224.0.0.251")
	return u
}

// auditLimits expects a record for each call that a limit refused. It connects u, and one more
// socket is open.
func auditLimits(t *testing.T, n *guard.Network, l *auditLog, u network.Socket) {
	t.Helper()
	n.SetPolicy(policy.New(testutil.Policy(t, "allow connect any").Rules(),
		policy.Limits{Sockets: 2, ConnectsPerSecond: 1}))
	_, err := n.Open(network.IPv4, network.Stream)
	wantErr(t, "open", err, syscall.EMFILE)
	u.Connect(at("127.0.0.1:1"))
	u.Connect(at("127.0.0.1:1"))
	allowed := "level=INFO action=connect protocol=udp address=127.0.0.1:1 decision=allowed " +
		"rule=allow_connect_any written=test"
	l.expect(t, "level=WARN action=open decision=denied reason=the_limit_of_2_sockets", allowed,
		allowed,
		"level=WARN action=connect protocol=udp address=127.0.0.1:1 decision=denied "+
			"reason=the_limit_of_1_connects_per_second")
}

// TestAuditLimitsRecordsOfDeniedPeers sends more datagrams from outside than may be recorded.
func TestAuditLimitsRecordsOfDeniedPeers(t *testing.T) {
	var l auditLog
	n := guard.New(kernel.New(kernel.Config{}),
		testutil.Policy(t, "allow listen udp://127.0.0.1 from 127.0.0.1"), guard.Options{
			Audit: l.logger(),
			OnRefusal: func(r *policy.Refusal) {
				t.Errorf("got a report of %v, want none, since anybody could cause it",
					r)
			},
		})
	s := open(t, n, network.IPv4, network.Datagram)
	must(t, s.Bind(here))
	stranger := sender(t, "127.0.0.2")
	const many = 1000
	for range many {
		send(t, stranger, "x", local(t, s))
		_, err := s.Recv([][]byte{make([]byte, 8)}, 0)
		wantErr(t, "receive", err, syscall.EAGAIN)
	}
	told := 0
	for _, r := range l.records(t) {
		if r["action"] == "receive" {
			told++
			if left, ok := r["omitted"].(float64); ok {
				told += int(left)
			}
		}
	}
	if lines := strings.Count(l.text.String(), "\n"); told > many || lines > 500 {
		t.Errorf("got %d lines about %d peers, want all peers in few lines", lines, told)
	}
	if got := n.Counters().DroppedDatagrams; got != many {
		t.Errorf("got %d in the counter, want all of them", got)
	}
}

// TestDryRun reports each refusal of a guest in a dry run, and refuses nothing.
func TestDryRun(t *testing.T) {
	friendAt, friendHeard := listener(t, "127.0.0.1:0")
	server, base := names(t)
	server.Set("name.test", dnstest.Addrs("127.0.0.1"))
	var l auditLog
	var refused []string
	p := policy.New(testutil.Policy(t, "allow connect other.test",
		"allow listen udp://127.0.0.1 from 127.0.0.1").Rules(),
		policy.Limits{Sockets: 1, ConnectsPerSecond: 1, SendBytesPerSecond: 1})
	n := guard.New(base, policy.All(p, testutil.Policy(t)), guard.Options{
		DryRun: true, Audit: l.logger(),
		OnRefusal: func(r *policy.Refusal) { refused = append(refused, r.Request.Op.String()) },
	})
	got, err := n.LookupAddrs(t.Context(), network.IPv4, "name.test")
	if err != nil || len(got) != 1 {
		t.Errorf("got the answer %v, %v, want the one that the rules leave", got, err)
	}
	s := open(t, n, network.IPv4, network.Stream)
	must(t, connect(t, s, friendAt))
	send(t, s, "hello", nobody)
	if heard := <-friendHeard; heard != "hello" {
		t.Errorf("got %q, want %q", heard, "hello")
	}
	u := open(t, n, network.IPv4, network.Datagram)
	must(t, u.Bind(here))
	stranger := sender(t, "127.0.0.2")
	send(t, stranger, "hello", local(t, u))
	if text, _ := receive(t, u); text != "hello" {
		t.Errorf("got %q, want %q", text, "hello")
	}
	send(t, u, "answer", local(t, stranger))
	must(t, u.Join(netip.MustParseAddr("239.1.2.3"),
		network.Interface{Addr: netip.MustParseAddr("127.0.0.1")}))
	if want := []string{"resolve", "connect", "bind", "connect", "join",
		"bind"}; !slices.Equal(refused, want) {
		t.Errorf("%v would have been refused, not %v", refused, want)
	}
	denied := 0
	for _, r := range l.records(t) {
		if r["decision"] == "denied" {
			denied++
		}
	}
	if denied != 7 {
		t.Errorf("got %d records of refusals, want 7", denied)
	}
	if c := n.Counters(); c.Denied[policy.OpReceive] != 1 || c.DroppedDatagrams != 0 ||
		c.Limited != 0 {
		t.Errorf("%+v", c)
	}
}

// TestLimitsAgreeWithRecords exceeds each limit that refuses calls, and compares the counters with
// the records.
func TestLimitsAgreeWithRecords(t *testing.T) {
	for _, row := range []struct {
		name   string
		limits policy.Limits
	}{
		{"sockets", policy.Limits{Sockets: 3}},
		{"socket_memory", policy.Limits{SocketMemory: 20 << 10}},
		{"connects_per_second", policy.Limits{ConnectsPerSecond: 1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var l auditLog
			p := policy.New(testutil.Policy(t, "allow connect loopback").Rules(), row.limits)
			n := guard.New(kernel.New(kernel.Config{}), p, guard.Options{Audit: l.logger()})
			for range 5 {
				if s, err := n.Open(network.IPv4, network.Datagram); err == nil {
					s.Connect(at("127.0.0.1:9"))
					defer s.Close()
				}
			}
			var allowed, denied guard.PerOp
			for _, r := range l.records(t) {
				for op := range denied {
					switch policy.Op(op).String() + " " + r["decision"].(string) {
					case r["action"].(string) + " allowed":
						allowed[op]++
					case r["action"].(string) + " denied":
						denied[op]++
					}
				}
			}
			c := n.Counters()
			if c.Allowed != allowed || c.Denied != denied || c.Limited == 0 ||
				c.Limited != denied[policy.OpOpen]+denied[policy.OpConnect] {
				t.Errorf("got the counters %+v, want %v allowed and %v denied as in the records",
					c, allowed, denied)
			}
		})
	}
}

// TestSetPolicyDuringCalls replaces the policy in a loop while many goroutines of a guest use it.
func TestSetPolicyDuringCalls(t *testing.T) {
	var l auditLog
	all := testutil.Policy(t, "allow connect loopback", "allow listen loopback")
	lenient := policy.New(all.Rules(),
		policy.Limits{SendBytesPerSecond: 1 << 30, Sockets: 50})
	n := guard.New(kernel.New(kernel.Config{}), nil,
		guard.Options{Audit: l.logger(), Learner: new(policy.Learner)})
	_, to := udpSocket(t, "127.0.0.1:0")
	done := make(chan struct{})
	var wg sync.WaitGroup
	const users = 4
	var both atomic.Int32 // of the users have been allowed something and refused something
	for range users {
		wg.Go(func() {
			b := [][]byte{make([]byte, 8)}
			for allowed, refused, seen := 0, 0, false; ; {
				if !seen && allowed > 0 && refused > 0 {
					seen = true
					both.Add(1)
				}
				select {
				case <-done:
					return
				default:
				}
				s, err := n.Open(network.IPv4, network.Datagram)
				if err != nil {
					continue
				}
				s.Bind(here)
				for range 10 {
					if _, err := s.Send(b, to); err == nil {
						allowed++
					} else {
						refused++
					}
					s.Recv(b, 0)
					s.Poll(network.Readable | network.Writable)
				}
				s.Close()
			}
		})
	}
	deadline := time.Now().Add(20 * time.Second) // on a busy machine with fewer rounds
	for i := 0; (i < 2000 || both.Load() < users) && time.Now().Before(deadline); i++ {
		n.SetPolicy([]*policy.Policy{lenient, nil,
			testutil.Policy(t, "allow connect loopback", "deny listen any")}[i%3])
	}
	close(done)
	wg.Wait()
	if got := both.Load(); got < users {
		t.Errorf("got both policies in %d of %d goroutines, want all", got, users)
	}
	if got := n.Counters().OpenSockets; got != 0 {
		t.Errorf("got %d open sockets, want 0", got)
	}
}
