package wasport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing/fstest"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport"
	testguests "github.com/wasport/wasport/internal/guests"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
	"github.com/wasport/wasport/policy"
)

// A module is compiled once and run with arguments, an environment and an input. The exit status is
// a value, not an error.
func Example() {
	ctx := context.Background()
	rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{})
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Close(ctx)

	// stdio.wasm is a C program that prints its arguments, environment and input.
	wasm, err := testguests.FS.ReadFile("stdio.wasm")
	if err != nil {
		log.Fatal(err)
	}
	mod, err := rt.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		log.Fatal(err)
	}
	status, err := mod.Run(ctx, wasport.Config{
		Args:   []string{"stdio", "hello"},
		Env:    []string{"LANG=C"},
		Stdin:  strings.NewReader("a line\n"),
		Stdout: os.Stdout,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("exit status", status.Code)
	// Output:
	// arg 0 stdio
	// arg 1 hello
	// env LANG=C
	// in a line
	// exit status 0
}

// exampleModule compiles one of the test guests.
func exampleModule(ctx context.Context, name string) (mod *wasport.Module, done func()) {
	return exampleModuleFile(ctx, "internal/guests/"+name, wasport.RuntimeConfig{})
}

// The program opens the listener, so it knows the address, and the guest needs no permission to
// open a socket, only to accept on this one.
func ExampleModule_Start() {
	ctx := context.Background()
	// listen_fd.wasm accepts a connection on descriptor 3 and echoes the bytes that it reads.
	mod, done := exampleModule(ctx, "listen_fd.wasm")
	defer done()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	rules, err := policy.Rules(policy.ListenFrom(policy.TCP, "127.0.0.1", policy.Loopback))
	if err != nil {
		log.Fatal(err)
	}
	guest, err := mod.Start(ctx, wasport.Config{
		Args:    []string{"listen_fd"},
		Sockets: []syscall.Conn{listener.(*net.TCPListener)},
		Policy:  policy.New(rules, policy.Limits{}),
	})
	if err != nil {
		log.Fatal(err)
	}

	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(conn, "hello, guest")
	reply, err := io.ReadAll(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("the guest sent %q\n", reply)

	status, err := guest.Wait()
	fmt.Println("exit status", status.Code, err)
	// Output:
	// the guest sent "hello, guest"
	// exit status 0 <nil>
}

// examplePlugin compiles the plug-in of examples/plugins, which is made of
// examples/plugins/src/plugin.c.
func examplePlugin(ctx context.Context) (mod *wasport.Module, done func()) {
	return exampleModuleFile(ctx, "examples/plugins/plugin.wasm", wasport.RuntimeConfig{})
}

// exampleModuleFile compiles the module in a file.
func exampleModuleFile(ctx context.Context, file string, c wasport.RuntimeConfig) (
	mod *wasport.Module, done func()) {
	rt, err := wasport.NewRuntime(ctx, c)
	if err != nil {
		log.Fatal(err)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	mod, err = rt.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		log.Fatal(err)
	}
	return mod, func() { rt.Close(ctx) }
}

// A plug-in is called any number of times. Its memory stays between the calls.
func ExampleModule_Instantiate() {
	ctx := context.Background()
	mod, done := examplePlugin(ctx)
	defer done()

	plugin, err := mod.Instantiate(ctx, wasport.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer plugin.Close()
	var results []uint64
	for range 1_000_000 {
		if results, err = plugin.Call(ctx, "count"); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("calls counted:", results[0])
	// Output: calls counted: 1000000
}

// A text is passed to a plug-in in its memory, and the result is read from there. Do keeps the
// calls of other goroutines out of the steps.
func ExampleInstance_Do() {
	ctx := context.Background()
	mod, done := examplePlugin(ctx)
	defer done()
	plugin, err := mod.Instantiate(ctx, wasport.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer plugin.Close()

	shout := func(text string) (loud []byte, err error) {
		err = plugin.Do(ctx, func(ctx context.Context) error {
			n := uint64(len(text))
			at, err := plugin.Malloc(ctx, "malloc", []byte(text))
			if err != nil {
				return err
			}
			if _, err := plugin.Call(ctx, "shout", at, n); err != nil {
				return err
			}
			if loud, err = plugin.Memory().Read(at, n); err != nil {
				return err
			}
			return plugin.Free(ctx, "free", at, n)
		})
		return loud, err
	}
	loud, err := shout("hello, plug-in")
	fmt.Printf("%s %v\n", loud, err)
	// Output: HELLO, PLUG-IN <nil>
}

// A host function may wait, if it returns when its context ends. Here it waits for an answer that
// comes, and for one that does not come before the end of the call. The instance lives on.
func ExampleHostFunction() {
	ctx := context.Background()
	answers := make(chan uint64, 1)
	i32 := []api.ValueType{api.ValueTypeI32}
	ask := wasport.HostFunction{Module: "host", Name: "f", Params: i32, Results: i32,
		Call: func(ctx context.Context, c *wasport.Caller, values []uint64) {
			fmt.Printf("%s asks %d\n", c.Name(), values[0])
			select {
			case values[0] = <-answers:
			case <-ctx.Done():
				values[0] = 0
			}
		}}
	wait := wasport.HostFunction{Module: "host", Name: "wait",
		Call: func(ctx context.Context, _ *wasport.Caller, _ []uint64) { <-ctx.Done() }}

	// The function "call" of hostcall.wasm returns the result of host.f plus 1.
	mod, done := exampleModuleFile(ctx, "internal/integration_test/testdata/hostcall.wasm",
		wasport.RuntimeConfig{HostFunctions: []wasport.HostFunction{ask, wait}})
	defer done()
	plugin, err := mod.Instantiate(ctx, wasport.Config{Name: "plug-in"})
	if err != nil {
		log.Fatal(err)
	}
	defer plugin.Close()

	answers <- 41
	fmt.Println(plugin.Call(ctx, "call", 7))
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	fmt.Println(plugin.Call(short, "call", 8))
	fmt.Println("the instance has ended:", plugin.Err() != nil)
	// Output:
	// plug-in asks 7
	// [42] <nil>
	// plug-in asks 8
	// [] context deadline exceeded
	// the instance has ended: false
}

// A context ends a guest in any call: here it waits for a connection that never comes. Run returns
// the context's cause.
func ExampleModule_Run_cancel() {
	ctx := context.Background()
	mod, done := exampleModule(ctx, "tcp_server.wasm")
	defer done()

	rules, err := policy.Rules(policy.Listen(policy.TCP, "127.0.0.1"))
	if err != nil {
		log.Fatal(err)
	}
	late := errors.New("nobody came")
	ctx, cancel := context.WithTimeoutCause(ctx, 50*time.Millisecond, late)
	defer cancel()
	_, err = mod.Run(ctx, wasport.Config{
		Args:   []string{"tcp_server", "127.0.0.1", "1"},
		Policy: policy.New(rules, policy.Limits{}),
	})
	fmt.Println(errors.Is(err, late), err)
	// Output: true nobody came
}

// A policy lists the operations that are allowed on the network. Any other is an errno to the guest
// and a policy.Refusal to the program.
func ExampleConfig_policy() {
	ctx := context.Background()
	mod, done := exampleModule(ctx, "tcp_client.wasm")
	defer done()

	rules, err := policy.Rules(
		policy.Connect(policy.TCP, policy.Public, 443),
		policy.Connect(policy.TCP, netip.MustParsePrefix("192.168.7.0/24"), 443, 8443),
	)
	if err != nil {
		log.Fatal(err)
	}
	status, err := mod.Run(ctx, wasport.Config{
		Args:   []string{"tcp_client", "10.0.0.5", "443", "hello"},
		Stdout: os.Stdout,
		Policy: policy.New(rules, policy.Limits{Sockets: 64}),
		OnRefusal: func(r *policy.Refusal) {
			fmt.Println(r)
			fmt.Println("to allow it:", r.Hint())
		},
	})
	fmt.Println("exit status", status.Code, err)
	// Output:
	// denied connect tcp 10.0.0.5:443: "public" covers public addresses only, 10.0.0.5 is private
	// to allow it: --allow-connect tcp://10.0.0.5:443
	// FAIL connect errno=2 EACCES
	// exit status 1 <nil>
}

// names is a network with its own names.
type names struct {
	network.Network
	known map[string]netip.Addr
}

func (n names) LookupAddrs(_ context.Context, _ network.Family, name string) ([]netip.Addr, error) {
	if a, ok := n.known[name]; ok {
		return []netip.Addr{a}, nil
	}
	return nil, &network.LookupError{Name: name, Failure: network.NoSuchHost}
}

// A program may replace the network or a part of it: here it resolves names itself. The policy
// still applies.
func ExampleConfig_network() {
	ctx := context.Background()
	mod, done := exampleModule(ctx, "lookup.wasm")
	defer done()

	rules, err := policy.Rules(policy.Resolve(policy.Under("internal")),
		policy.Connect(policy.TCP, "10.0.0.5", 5432))
	if err != nil {
		log.Fatal(err)
	}
	_, err = mod.Run(ctx, wasport.Config{
		Args:   []string{"lookup", "db.internal", "5432", "4", "tcp"},
		Stdout: os.Stdout,
		Policy: policy.New(rules, policy.Limits{}),
		Network: names{kernel.New(kernel.Config{}),
			map[string]netip.Addr{"db.internal": netip.MustParseAddr("10.0.0.5")}},
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: 10.0.0.5 5432 stream
}

// A guest reads files that the program has, of an embed.FS for example.
func ExampleDir() {
	ctx := context.Background()
	// escape.wasm tries in every way to read and to change a file.
	mod, done := exampleModule(ctx, "escape.wasm")
	defer done()

	var out strings.Builder
	_, err := mod.Run(ctx, wasport.Config{
		Args:   []string{"escape", "app.toml"},
		Stdout: &out,
		Dirs: []wasport.Dir{{Guest: "/config", FS: fstest.MapFS{
			"app.toml": {Data: []byte("level = 3\n")}}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "content") || strings.HasPrefix(line, "unlink") {
			fmt.Print(line)
		}
	}
	// Output:
	// content level = 3
	// unlink app.toml 69 EROFS
}
