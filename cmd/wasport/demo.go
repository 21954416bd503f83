package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/guests/demo"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

const demoBefore = `wasport demo runs guests that talk to each other over loopback, each a WebAssembly module in a sandbox of its own.

It needs no internet, and ends by itself. The exit status is 0 if everything was as it should be.
`

const demoAfter = `
Run a module of your own:
  wasport inspect FILE.wasm     says what it needs
  wasport run FILE.wasm         runs it; what it is refused comes with the flag that allows it
  wasport run --help            has all the flags
`

// demoTime is what the demonstration may take; it takes about a second.
const demoTime = 30 * time.Second

func demoPage() page { return page{command: "demo", before: demoBefore} }

func runDemo(args []string) error {
	rest, done, err := demoPage().parse(args)
	if done || err != nil {
		return err
	}
	if len(rest) > 0 {
		return usage("", "demo takes no arguments")
	}
	ctx, stop := untilSignal(context.Background())
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, demoTime,
		fmt.Errorf("it took more than %v", demoTime))
	defer cancel()

	rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{})
	if err != nil {
		return err
	}
	defer rt.Close(context.WithoutCancel(ctx))
	s := &stage{runtime: rt}
	scenes := append(s.pairs("127.0.0.1"), s.pairs("::1")...)
	for _, scene := range append(scenes, s.lookup, s.refusal) {
		if err := scene(ctx); err != nil {
			return demoFailed(err)
		}
	}
	fmt.Print(demoAfter)
	return nil
}

func demoFailed(err error) error {
	var signal signalled
	if errors.As(err, &signal) {
		return &exit{status: statusSignal + int(signal.Signal)}
	}
	return fmt.Errorf("not everything was as it should be: %w", err)
}

// stage is where the guests of the demonstration appear.
type stage struct {
	runtime *wasport.Runtime
	mu      sync.Mutex // one line at a time
}

func (s *stage) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(os.Stdout, format+"\n", args...)
}

// actor is a running guest.
type actor struct {
	out   *lines
	ended chan error // nil for a good end
}

// enter starts a guest with the rules that it is allowed to act by.
func (s *stage) enter(ctx context.Context, name, module string, n network.Network, rules []string,
	args ...string) (*actor, error) {
	wasm, err := demo.FS.ReadFile(module + ".wasm")
	if err != nil {
		return nil, err
	}
	mod, err := s.runtime.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", module, err)
	}
	allowed := make([]policy.Rule, len(rules))
	for i, text := range rules {
		if allowed[i], err = policy.ParseRule("allow "+text, policy.Origin{}); err != nil {
			return nil, err
		}
		s.say("  %-8s may %s", name, text)
	}
	a := &actor{
		out: &lines{say: func(line string) { s.say("  %-8s | %s", name, line) },
			first: make(chan string, 1)},
		ended: make(chan error, 1),
	}
	guest, err := mod.Start(ctx, wasport.Config{
		Args:    append([]string{module}, args...),
		Stdout:  a.out,
		Network: n,
		Policy:  policy.New(allowed, policy.Limits{}),
		OnRefusal: func(r *policy.Refusal) {
			s.say("  %-8s ! %v", name, r)
			s.say("  %-8s   what would allow it: %s", "", r.Hint())
		},
	})
	if err != nil {
		return nil, err
	}
	go func() {
		status, err := guest.Wait()
		a.out.end()
		if err == nil && status.Code != 0 {
			err = fmt.Errorf("exit status %d", status.Code)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", module, err)
		}
		a.ended <- err
	}()
	return a, nil
}

// pairs are the scenes in which a server and a client talk on an address.
func (s *stage) pairs(host string) []func(context.Context) error {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return []func(context.Context) error{func(context.Context) error {
			s.say("\nThis machine has no %s, so what happens there is left out: %v", host, err)
			return nil
		}}
	}
	l.Close()
	return []func(context.Context) error{
		func(ctx context.Context) error { return s.pair(ctx, host, "tcp") },
		func(ctx context.Context) error { return s.pair(ctx, host, "udp") },
	}
}

// pair lets a server and a client talk. If one of them fails the other is stopped.
func (s *stage) pair(ctx context.Context, host, protocol string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.say("\nA server and a client talk %s on %s.", strings.ToUpper(protocol), host)
	at := func(port string) string { return protocol + "://" + net.JoinHostPort(host, port) }
	rules := []string{"listen " + at("0")}
	if protocol == "udp" { // to answer from a port of the system's choice is to send
		rules = append(rules, "connect udp://"+host)
	}
	server, err := s.enter(ctx, "server", "demo_"+protocol+"_server", nil, rules, host)
	if err != nil {
		return err
	}
	port, ok := strings.CutPrefix(<-server.out.first, "listening "+host+" ")
	if !ok {
		return <-server.ended
	}
	client, err := s.enter(ctx, "client", "demo_"+protocol+"_client", nil,
		[]string{"connect " + at(port)}, host, port)
	if err != nil {
		return err
	}
	for range 2 {
		select {
		case err = <-server.ended:
		case err = <-client.ended:
		}
		if err != nil {
			cancel(err)
		}
	}
	return context.Cause(ctx)
}

// lookup lets a guest look up a name, which only the demonstration's own server knows.
func (s *stage) lookup(ctx context.Context) error {
	const name = "guide.wasport.test"
	s.say("\nA guest looks up a name; a DNS server that is part of this program answers.")
	dns, err := dnstest.Start(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	if err != nil {
		return err
	}
	defer dns.Close()
	dns.Set(name, dnstest.Addrs("127.0.0.1", "::1"))
	n := kernel.New(kernel.Config{Server: dns.Addr()})
	guest, err := s.enter(ctx, "guest", "demo_lookup", n,
		[]string{"resolve " + name, "connect tcp://loopback:80"}, name)
	if err != nil {
		return err
	}
	return <-guest.ended
}

// refusal lets a guest try what it may not. It is refused before anything leaves this machine.
func (s *stage) refusal(ctx context.Context) error {
	s.say("\nA guest that may reach the public internet tries an address of a private network.")
	guest, err := s.enter(ctx, "guest", "demo_refused", nil, []string{"connect *"}, "10.0.0.5",
		"5432")
	if err != nil {
		return err
	}
	return <-guest.ended
}

// lines passes what a guest prints on, line by line, and keeps the first.
type lines struct {
	say   func(string)
	first chan string
	mu    sync.Mutex
	rest  []byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		l.say(string(line))
		select {
		case l.first <- string(line):
		default:
		}
		l.rest = rest
	}
}

// end passes on what has no end of line, and tells who waits for the first one that there is none.
func (l *lines) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rest) > 0 {
		l.say(string(l.rest))
		l.rest = nil
	}
	select {
	case l.first <- "":
	default:
	}
}
