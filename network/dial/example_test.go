package dial_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"

	"github.com/wasport/wasport"
	testguests "github.com/wasport/wasport/internal/guests"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/network/dial"
	"github.com/wasport/wasport/policy"
)

// A guest connects through a SOCKS5 proxy. The policy judges the address as without one.
func Example() {
	ctx := context.Background()
	rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{})
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Close(ctx)
	// tcp_client.wasm is a C program that sends a line and prints the line that comes back.
	wasm, err := testguests.FS.ReadFile("tcp_client.wasm")
	if err != nil {
		log.Fatal(err)
	}
	mod, err := rt.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		log.Fatal(err)
	}
	server := shoutingServer()
	defer server.Close()
	addr := server.Addr().(*net.TCPAddr).AddrPort()
	socks, err := testutil.StartSOCKS(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer socks.Close()

	connect, err := dial.Proxy("socks5://"+socks.Addr, nil)
	if err != nil {
		log.Fatal(err)
	}
	rules, err := policy.Rules(policy.Connect(policy.TCP, addr.Addr(), int(addr.Port())))
	if err != nil {
		log.Fatal(err)
	}
	out, in := io.Pipe()
	go func() {
		_, err := mod.Run(ctx, wasport.Config{
			Args:    []string{"tcp_client", "127.0.0.1", strconv.Itoa(int(addr.Port())), "hello"},
			Stdout:  in,
			Stderr:  os.Stderr,
			Network: dial.New(dial.Config{DialContext: connect}),
			Policy:  policy.New(rules, policy.Limits{}),
		})
		in.CloseWithError(err)
	}()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if text := lines.Text(); text == "received HELLO" {
			fmt.Println(text)
		}
	}
	fmt.Println("through the proxy:", len(socks.Targets()))
	// Output:
	// received HELLO
	// through the proxy: 1
}

// shoutingServer answers a line in capitals.
func shoutingServer() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		line, _ := bufio.NewReader(c).ReadBytes('\n')
		for i, b := range line {
			if b >= 'a' && b <= 'z' {
				line[i] = b - 'a' + 'A'
			}
		}
		c.Write(line)
		io.Copy(io.Discard, c)
	}()
	return l
}
