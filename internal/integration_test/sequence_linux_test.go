package integration_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/testutil"
)

// addrServers are servers at each address of the host, all on one port.
type addrServers struct {
	port uint16
}

// greeting is the text that the server at an address sends to its clients.
func greeting(a netip.Addr) string { return "this-is-" + a.String() }

func startAddrServers(t *testing.T) *addrServers {
	t.Helper()
	c := new(addrServers)
	for _, text := range []string{"127.0.0.1", lan4, public4, "::1", lan6} {
		a := netip.MustParseAddr(text)
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, c.port)))
		fatalOnError(t, err)
		// In this namespace no other process can hold the port at the next address.
		c.port = l.Addr().(*net.TCPAddr).AddrPort().Port()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				conn.Write([]byte(greeting(a)))
				conn.Close()
			}
		}()
		t.Cleanup(func() { l.Close() })
	}
	return c
}

// listenDatagrams opens a socket for datagrams at each address. Each test opens its own, so that
// received lists the addresses to which that test's datagrams came.
func (c *addrServers) listenDatagrams(t *testing.T) (heard func() []string) {
	t.Helper()
	all := make(map[string]*net.UDPConn)
	for _, text := range []string{"127.0.0.1", lan4, public4, "::1", lan6} {
		at := netip.AddrPortFrom(netip.MustParseAddr(text), c.port)
		p, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		fatalOnError(t, err)
		t.Cleanup(func() { p.Close() })
		all[text] = p
	}
	return func() (met []string) {
		for text, p := range all {
			raw, err := p.SyscallConn()
			fatalOnError(t, err)
			b := make([]byte, 64)
			for more := true; more; {
				// it does not wait
				fatalOnError(t, raw.Control(func(fd uintptr) { _, err = syscall.Read(int(fd), b) }))
				if more = err == nil; more {
					met = append(met, text)
				}
			}
		}
		slices.Sort(met)
		return met
	}
}

// TestRedirectedAddressesAreJudged uses addresses for which the kernel substitutes another one,
// such as 0.0.0.0 (RFC 1122, section 3.2.1.3), and checks that the policy judges the server that is
// reached.
func TestRedirectedAddressesAreJudged(t *testing.T) { inNamespace(t, testSequences) }

// sequence is a list of a guest's calls, with the expected results.
type sequence struct {
	name        string
	rules       string // each ends with ";", PORT is that of the servers
	adopted     string // socket that the host opens, as descriptor 3
	steps       []string
	want        []string // results of steps; "" is any but OK
	datagramsTo string   // addresses to which datagrams came
}

// reachMethod is a way to reach an address: the last step of a sequence, and a step after it that
// identifies the server.
type reachMethod struct {
	protocol string
	reach    string // with the address
	after    string
}

// sequenceTo completes a sequence by a step towards an address. The server at another address
// answers it; "refused" and "nobody" stand for no server.
func (w reachMethod) sequenceTo(address, server string, s sequence) sequence {
	s.name = w.protocol + " " + strings.Fields(w.reach)[0] + ", " + s.name
	for range s.steps {
		s.want = append(s.want, "OK")
	}
	s.steps = append(slices.Clone(s.steps), fmt.Sprintf(w.reach, address))
	switch {
	case server == "refused":
		s.want = append(s.want, "EACCES")
	case server == "nobody":
		s.want = append(s.want, "")
	case w.protocol == "tcp":
		s.steps = append(s.steps, w.after, "peer 0")
		s.want = append(s.want, "OK", greeting(netip.MustParseAddr(server)),
			peerAddr(address, server)+" PORT")
	default:
		s.want, s.datagramsTo = append(s.want, "OK"), server
		if w.after != "" {
			s.steps, s.want = append(s.steps, w.after), append(s.want, "OK")
		}
	}
	return s
}

const (
	loop4  = "allow connect 127.0.0.1:PORT;"
	loop6  = "allow connect [::1]:PORT;"
	binds  = "allow listen 10.99.0.1:0; allow listen [fd00:99::1]:0; allow listen 127.0.0.1:0;"
	others = "allow connect udp://10.99.0.53:53; allow connect udp://93.184.216.34:53;" +
		"allow connect udp://127.0.0.1:53;"
)

// unconnectedSequences are the sequences for every method.
func (w reachMethod) unconnectedSequences() (all []sequence) {
	four, six := "open "+w.protocol+" 4", "open "+w.protocol+" 6"
	for _, denied := range []string{"", "deny connect 10.0.0.0/8; deny connect fd00::/8;"} {
		for _, s := range []struct {
			address, server string
			sequence
		}{
			{"0.0.0.0", "127.0.0.1", sequence{name: "fresh", rules: loop4, steps: []string{four}}},
			{"0.0.0.0", "127.0.0.1",
				sequence{name: "bound", rules: loop4, steps: []string{four, "bind 0 10.99.0.1 0"}}},
			{"::", "::1", sequence{name: "dual-stack, fresh", rules: loop6, steps: []string{six}}},
			{"::", "::1", sequence{name: "dual-stack, bound", rules: loop6,
				steps: []string{six, "bind 0 fd00:99::1 0"}}},
			{"::ffff:0.0.0.0", "127.0.0.1",
				sequence{name: "mapped", rules: loop4, steps: []string{six}}},
			{"::ffff:0.0.0.0", "127.0.0.1",
				sequence{name: "mapped, bound", rules: loop4,
					steps: []string{six, "bind 0 ::ffff:10.99.0.1 0"}}},
			{"0.0.0.0", "refused",
				sequence{name: "where the bound address is allowed",
					rules: "allow connect 10.99.0.1:PORT;",
					steps: []string{four, "bind 0 10.99.0.1 0"}}},
			{"::ffff:0.0.0.0", "refused",
				sequence{name: "mapped, where IPv6 is allowed", rules: loop6,
					steps: []string{six, "bind 0 ::ffff:10.99.0.1 0"}}},
			{"::", "nobody", sequence{name: "bound to a mapped address", rules: loop6,
				steps: []string{six, "bind 0 ::ffff:10.99.0.1 0"}}},
			{"::", "nobody", sequence{name: "bound to mapped loopback", rules: loop6,
				steps: []string{six, "bind 0 ::ffff:127.0.0.1 0"}}},
		} {
			s.name, s.rules = s.name+" "+denied, s.rules+binds+denied
			if s.server != "refused" || denied == "" { // else either of the two may refuse
				all = append(all, w.sequenceTo(s.address, s.server, s.sequence))
			}
		}
	}
	return all
}

// ownAddrSequences aim at the host's own public address, which a firewall would protect from
// clients outside.
func (w reachMethod) ownAddrSequences() (all []sequence) {
	for rule, server := range map[string]string{
		"allow connect *;":                                "refused",
		"allow connect public;":                           "refused",
		"allow connect 93.184.216.34:PORT;":               public4,
		"allow connect *; allow connect 93.184.216.0/24;": public4,
		"allow connect any;":                              public4,
	} {
		four := sequence{name: "own address with " + rule, rules: rule}
		four.steps = []string{"open " + w.protocol + " 4"}
		six := sequence{name: "own address, mapped, with " + rule, rules: rule}
		six.steps = []string{"open " + w.protocol + " 6"}
		all = append(all, w.sequenceTo(public4, server, four),
			w.sequenceTo("::ffff:"+public4, server, six))
	}
	return all
}

// reconnectedSequences use datagram sockets that got a source address from an earlier connect.
func (w reachMethod) reconnectedSequences() (all []sequence) {
	for _, s := range []struct{ rules, open, first, address, server string }{
		{loop4, "open udp 4", "10.99.0.53", "0.0.0.0", "127.0.0.1"},
		{loop4, "open udp 4", "93.184.216.34", "0.0.0.0", "127.0.0.1"},
		{"", "open udp 4", "10.99.0.53", "0.0.0.0", "refused"},
		{loop4, "open udp 6", "::ffff:10.99.0.53", "::ffff:0.0.0.0", "127.0.0.1"},
		{loop6, "open udp 6", "::ffff:127.0.0.1", "::", "nobody"},
	} {
		all = append(all, w.sequenceTo(s.address, s.server, sequence{
			name:  "connected first to " + s.first + " with " + s.rules,
			rules: s.rules + others, steps: []string{s.open, "connect 0 " + s.first + " 53"}}))
	}
	return all
}

// adoptedSequences use datagram sockets that the host opened, with an address.
func (w reachMethod) adoptedSequences() (all []sequence) {
	for _, handed := range []string{
		"udp4 10.99.0.1:0", "udp4 10.99.0.1:0 10.99.0.53:53", "udp [::ffff:10.99.0.1]:0",
	} {
		s := sequence{name: handed, adopted: handed, steps: []string{"have 3"}}
		all = append(all, w.sequenceTo("0.0.0.0", "refused", s))
		s.name, s.rules = handed+" with "+loop4, loop4
		all = append(all, w.sequenceTo("0.0.0.0", "127.0.0.1", s))
	}
	return all
}

func testSequences(t *testing.T) {
	stream := reachMethod{"tcp", "connect 0 %s PORT", "recv 0"}
	packet := reachMethod{"udp", "sendto 0 %s PORT x", ""}
	pointed := reachMethod{"udp", "connect 0 %s PORT", "send 0 x"}
	var all []sequence
	for _, w := range []reachMethod{stream, packet, pointed} {
		all = slices.Concat(all, w.unconnectedSequences(), w.ownAddrSequences())
	}
	all = slices.Concat(all, packet.reconnectedSequences(), pointed.reconnectedSequences(),
		packet.adoptedSequences())
	all = append(all, sequence{
		name:  "tcp connect, after one that failed",
		rules: loop4 + "allow connect 10.99.0.53:1;",
		steps: []string{"open tcp 4", "connect 0 10.99.0.53 1", "connect 0 0.0.0.0 PORT", "recv 0"},
		want:  []string{"OK", "ECONNREFUSED", "OK", greeting(netip.MustParseAddr("127.0.0.1"))}})
	servers := startAddrServers(t)
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) { servers.runSequence(t, s) })
	}
}

// runSequence runs a sequence and checks its results and the servers reached.
func (c *addrServers) runSequence(t *testing.T, s sequence) {
	heard := c.listenDatagrams(t)
	port := fmt.Sprint(c.port)
	with := func(s string) string { return strings.ReplaceAll(s, "PORT", port) }
	var audit bytes.Buffer
	config := wasport.Config{
		Policy: testutil.Policy(t, splitRules(with(s.rules))...),
		Audit:  slog.New(slog.NewTextHandler(&audit, nil)),
	}
	if s.adopted != "" {
		config.Sockets = []syscall.Conn{openHostSocket(t, s.adopted)}
	}
	got := runSteps(t, config, with(strings.Join(s.steps, "\n")))
	for i, want := range s.want {
		if want = with(want); got[i] != want && (want != "" || got[i] == "OK") {
			t.Errorf("%s: got %s, want %s", with(s.steps[i]), got[i], want)
		}
	}
	if met := strings.Join(heard(), " "); met != s.datagramsTo {
		t.Errorf("got datagrams at %q, want %q", met, s.datagramsTo)
	}
	for _, wrong := range []string{"0.0.0.0:", "[::]:", "[::ffff:0.0.0.0]:"} {
		if strings.Contains(audit.String(), "address="+wrong+port) {
			t.Errorf("got an address that was not used, want it absent: %s", audit.String())
		}
	}
}

// peerAddr is the address that getpeername(2) returns after a connect to one address reached
// another.
func peerAddr(to, reached string) string {
	if strings.HasPrefix(to, "::ffff:") {
		return "::ffff:" + reached
	}
	return reached
}

func splitRules(s string) (list []string) {
	for r := range strings.SplitSeq(s, ";") {
		if r = strings.TrimSpace(r); r != "" {
			list = append(list, r)
		}
	}
	return list
}

// openHostSocket opens a socket of the host by a network, an address, and for datagrams optionally
// a peer.
func openHostSocket(t *testing.T, text string) syscall.Conn {
	t.Helper()
	words := strings.Fields(text)
	if strings.HasPrefix(words[0], "tcp") {
		l, err := net.Listen(words[0], words[1])
		fatalOnError(t, err)
		t.Cleanup(func() { l.Close() })
		return l.(*net.TCPListener)
	}
	local, err := net.ResolveUDPAddr(words[0], words[1])
	fatalOnError(t, err)
	var c *net.UDPConn
	if len(words) == 2 {
		c, err = net.ListenUDP(words[0], local)
	} else {
		var peer *net.UDPAddr
		peer, err = net.ResolveUDPAddr(words[0], words[2])
		fatalOnError(t, err)
		c, err = net.DialUDP(words[0], local, peer)
	}
	fatalOnError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// runSteps runs the guest sequence with steps, and returns the result of each.
func runSteps(t *testing.T, c wasport.Config, steps string) (said []string) {
	t.Helper()
	var out bytes.Buffer
	c.Args, c.Stdout = append([]string{"sequence"}, strings.Split(steps, "\n")...), &out
	if status, err := compileGuest(t, "sequence").Run(t.Context(), c); err != nil ||
		status.Code != 0 {
		t.Fatalf("got %v, %v, want status 0: %s", status, err, out.String())
	}
	for _, step := range strings.Split(steps, "\n") {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, strings.TrimSpace(strings.TrimPrefix(line, step+": ")))
	}
	return said
}

// TestAdoptedWildcardSocketsAdmitByRule hands over sockets bound to the wildcard address, and
// checks which peers are admitted.
func TestAdoptedWildcardSocketsAdmitByRule(t *testing.T) { inNamespace(t, testListeners) }

func testListeners(t *testing.T) {
	for _, test := range []struct {
		family string // "" is both
		host   string
		rules  string
		admits string
	}{
		{"4", "0.0.0.0", "", "127.0.0.1 10.99.0.1"},
		{"4", "0.0.0.0", "allow listen PROTO://0.0.0.0:PORT from 10.99.0.0/24;", "10.99.0.1"},
		{"6", "[::]", "", "::1 fd00:99::1"},
		{"6", "[::]", "allow listen PROTO://[::]:PORT from fd00::/8;", "fd00:99::1"},
		{"6", "[::]", "allow listen PROTO://0.0.0.0:PORT from 10.99.0.0/24;", "::1 fd00:99::1"},
		{"", "[::]", "", "127.0.0.1 10.99.0.1 ::1 fd00:99::1"},
		{"", "[::]", "allow listen PROTO://0.0.0.0:PORT from 10.99.0.0/24;", "10.99.0.1"},
		{"", "[::]", "allow listen PROTO://[::]:PORT from fd00::/8;", "fd00:99::1"},
		{"", "[::]", "allow listen PROTO://0.0.0.0:PORT from 10.99.0.0/24; allow listen " +
			"PROTO://[::]:PORT from fd00::/8;", "10.99.0.1 fd00:99::1"},
		{"", "[::]", "deny listen PROTO://any from 10.0.0.0/8;", "127.0.0.1 ::1 fd00:99::1"},
	} {
		for _, protocol := range []string{"tcp", "udp"} {
			t.Run(protocol+test.family+" "+test.host+" "+test.rules, func(t *testing.T) {
				conn := openHostSocket(t, protocol+test.family+" "+test.host+":0")
				port := localPort(t, conn)
				come := map[string]string{"tcp": "accept 0", "udp": "recv 0"}[protocol]
				steps, want := []string{"have 3"}, []string{"OK"}
				for _, peer := range []string{"127.0.0.1", lan4, "::1", lan6} {
					if test.family != "" && strings.Contains(peer, ".") != (test.family == "4") {
						continue
					}
					says := contactGuest(t, protocol, peer, port, test.family == "")
					if slices.Contains(strings.Fields(test.admits), peer) {
						steps, want = append(steps, come), append(want, says)
					}
				}
				steps, want = append(steps, "wait 0 1", come), append(want, "OK", "EAGAIN")
				text := strings.NewReplacer("PROTO", protocol, "PORT", port).Replace(test.rules)
				c := wasport.Config{Policy: testutil.Policy(t, splitRules(text)...)}
				c.Sockets = []syscall.Conn{conn}
				if got := runSteps(t, c, strings.Join(steps, "\n")); !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
}

// contactGuest connects or sends from an address of the host to itself, and returns the line that a
// guest prints if it admits that.
func contactGuest(t *testing.T, protocol, peer, port string, dual bool) string {
	t.Helper()
	d := net.Dialer{LocalAddr: localAddr(protocol, peer)}
	c, err := d.Dial(protocol, net.JoinHostPort(peer, port))
	fatalOnError(t, err)
	t.Cleanup(func() { c.Close() })
	if protocol == "udp" {
		says := greeting(netip.MustParseAddr(peer))
		_, err := c.Write([]byte(says))
		fatalOnError(t, err)
		return says
	}
	_, from, err := net.SplitHostPort(c.LocalAddr().String())
	fatalOnError(t, err)
	if dual && strings.Contains(peer, ".") {
		peer = "::ffff:" + peer
	}
	return peer + " " + from
}

func localAddr(protocol, host string) net.Addr {
	if protocol == "tcp" {
		return &net.TCPAddr{IP: net.ParseIP(host)}
	}
	return &net.UDPAddr{IP: net.ParseIP(host)}
}

func localPort(t *testing.T, c syscall.Conn) string {
	t.Helper()
	var at net.Addr
	switch c := c.(type) {
	case *net.TCPListener:
		at = c.Addr()
	case *net.UDPConn:
		at = c.LocalAddr()
	}
	_, port, err := net.SplitHostPort(at.String())
	fatalOnError(t, err)
	return port
}
