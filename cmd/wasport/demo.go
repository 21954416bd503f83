package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/dnstest"
	componentguests "github.com/wasport/wasport/internal/guests/components"
	"github.com/wasport/wasport/internal/guests/demo"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

const demoBefore = `wasport demo runs WebAssembly modules and a component that talk to each
other over loopback, each in its own sandbox.

It needs no internet and ends by itself. Its exit status is 0 on success.
`

const demoNextSteps = `
Run a module of your own:
  wasport inspect FILE.wasm     lists its imports and exports
  wasport run FILE.wasm         runs it; each refusal names the flag that would allow it
  wasport run --help            lists all flags
`

// demoTimeout bounds the demonstration, which takes about a second.
const demoTimeout = 30 * time.Second

func demoPage() page { return page{command: "demo", before: demoBefore} }

func runDemo(args []string) error {
	rest, done, err := demoPage().parse(args)
	if done || err != nil {
		return err
	}
	if len(rest) > 0 {
		return usageError("", "demo takes no arguments")
	}
	ctx, stop := withSignals(context.Background())
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, demoTimeout,
		fmt.Errorf("it took more than %v", demoTimeout))
	defer cancel()

	rt, err := newRuntime(ctx, wasport.RuntimeConfig{})
	if err != nil {
		return err
	}
	defer rt.Close(context.WithoutCancel(ctx))
	d := &demonstration{runtime: rt}
	steps := append(d.pairSteps("127.0.0.1"), d.pairSteps("::1")...)
	for _, step := range append(steps, d.runComponent, d.runLookup, d.runRefusal) {
		if err := step(ctx); err != nil {
			return demoError(err)
		}
	}
	fmt.Fprint(stdout, demoNextSteps)
	return nil
}

func demoError(err error) error {
	var signal signalError
	if errors.As(err, &signal) {
		return &exitError{status: statusSignal + int(signal.Signal)}
	}
	return fmt.Errorf("the demonstration failed: %w", err)
}

// demonstration runs guests, several at once, and prints their output and their refusals.
type demonstration struct {
	runtime *wasport.Runtime
	// mu keeps lines of several guests apart.
	mu sync.Mutex
}

func (d *demonstration) printf(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(stdout, format+"\n", args...)
}

// demoGuest is a running guest. ended receives nil if its exit status is 0.
type demoGuest struct {
	out   *lineWriter
	ended chan error
}

// startGuest starts a guest with allow rules, which it prints.
func (d *demonstration) startGuest(ctx context.Context, name, module string,
	n network.Network, rules []string, args ...string) (*demoGuest, error) {
	wasm, err := demo.FS.ReadFile(module + ".wasm")
	if module == demoComponent {
		wasm, err = componentguests.TCPClient, nil
	}
	if err != nil {
		return nil, err
	}
	mod, err := d.runtime.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", module, err)
	}
	allowed := make([]policy.Rule, len(rules))
	for i, text := range rules {
		if allowed[i], err = policy.ParseRule("allow "+text, policy.Origin{}); err != nil {
			return nil, err
		}
		d.printf("  %-8s may %s", name, text)
	}
	a := &demoGuest{
		out: &lineWriter{printLine: func(line string) { d.printf("  %-8s | %s", name, line) },
			first: make(chan string, 1)},
		ended: make(chan error, 1),
	}
	guest, err := mod.Start(ctx, wasport.Config{
		Args:    append([]string{module}, args...),
		Stdout:  a.out,
		Network: n,
		Policy:  policy.New(allowed, policy.Limits{}),
		OnRefusal: func(r *policy.Refusal) {
			d.printf("  %-8s ! %v", name, r)
			d.printf("  %-8s   what would allow it: %s", "", r.Hint())
		},
	})
	if err != nil {
		return nil, err
	}
	go func() {
		status, err := guest.Wait()
		a.out.close()
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

// demoComponent is the name of the only guest that is a component.
const demoComponent = "component"

// runComponent has a component connect to a core module. One policy holds for both.
func (d *demonstration) runComponent(ctx context.Context) error {
	d.printf("\nA component for WASI 0.2 talks to a core module, under the same policy.")
	const host = "127.0.0.1"
	rules := []string{"listen tcp://" + host + ":0", "connect tcp://" + host}
	return d.runTwo(ctx, host, rules, func(string) []string { return rules }, "demo_tcp_server",
		demoComponent, "hello from a component")
}

// pairSteps returns the steps in which a server and a client talk on an address by TCP and UDP. If
// the machine lacks the address, the only step says so.
func (d *demonstration) pairSteps(host string) []func(context.Context) error {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return []func(context.Context) error{func(context.Context) error {
			d.printf("\nThis machine has no %s, so what happens there is left out: %v", host, err)
			return nil
		}}
	}
	l.Close()
	return []func(context.Context) error{
		func(ctx context.Context) error { return d.runPair(ctx, host, "tcp") },
		func(ctx context.Context) error { return d.runPair(ctx, host, "udp") },
	}
}

// runPair runs a server and a client.
func (d *demonstration) runPair(ctx context.Context, host, protocol string) error {
	d.printf("\nA server and a client talk %s on %s.", strings.ToUpper(protocol), host)
	at := func(port string) string { return protocol + "://" + net.JoinHostPort(host, port) }
	rules := []string{"listen " + at("0")}
	if protocol == "udp" { // an answer is a send, and the port is the system's choice
		rules = append(rules, "connect udp://"+host)
	}
	connect := func(port string) []string { return []string{"connect " + at(port)} }
	return d.runTwo(ctx, host, rules, connect, "demo_"+protocol+"_server",
		"demo_"+protocol+"_client")
}

// runTwo runs a server and a client, which gets the server's address, its port and args. The
// failure of one of them stops the other.
func (d *demonstration) runTwo(ctx context.Context, host string, serverRules []string,
	clientRules func(port string) []string, serverModule, clientModule string,
	args ...string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	server, err := d.startGuest(ctx, "server", serverModule, nil, serverRules, host)
	if err != nil {
		return err
	}
	port, ok := strings.CutPrefix(<-server.out.first, "listening "+host+" ")
	if !ok {
		return <-server.ended
	}
	client, err := d.startGuest(ctx, "client", clientModule, nil, clientRules(port),
		append([]string{host, port}, args...)...)
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

// runLookup has a guest look up a name that only the demonstration's DNS server knows.
func (d *demonstration) runLookup(ctx context.Context) error {
	const name = "guide.wasport.test"
	d.printf("\nA guest looks up a name; a DNS server that is part of this program answers.")
	dns, err := dnstest.Start(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	if err != nil {
		return err
	}
	defer dns.Close()
	dns.Set(name, dnstest.Addrs("127.0.0.1", "::1"))
	n := kernel.New(kernel.Config{Server: dns.Addr()})
	guest, err := d.startGuest(ctx, "guest", "demo_lookup", n,
		[]string{"resolve " + name, "connect tcp://loopback:80"}, name)
	if err != nil {
		return err
	}
	return <-guest.ended
}

// runRefusal has a guest connect to an address that its rules do not allow. The refusal comes
// before any packet leaves this machine.
func (d *demonstration) runRefusal(ctx context.Context) error {
	d.printf("\nA guest that may reach the public internet tries an address of a private network.")
	guest, err := d.startGuest(ctx, "guest", "demo_refused", nil, []string{"connect *"}, "10.0.0.5",
		"5432")
	if err != nil {
		return err
	}
	return <-guest.ended
}

// lineWriter passes a guest's output to printLine line by line, and sends the first line to first.
type lineWriter struct {
	printLine func(string)
	first     chan string
	mu        sync.Mutex
	rest      []byte
}

func (l *lineWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		l.printLine(string(line))
		select {
		case l.first <- string(line):
		default:
		}
		l.rest = rest
	}
}

// close prints an unfinished last line. A guest that printed no line gets an empty first line, so
// that runPair does not wait for one.
func (l *lineWriter) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rest) > 0 {
		l.printLine(string(l.rest))
		l.rest = nil
	}
	select {
	case l.first <- "":
	default:
	}
}
