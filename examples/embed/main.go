// Command embed serves TCP on a loopback address and runs a module that may connect there, and to
// no other address.
//
//	embed FILE.wasm
//
// The module's arguments are the server's address and port.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/policy"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: embed FILE.wasm")
	}
	status, err := run(context.Background(), os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	os.Exit(int(status))
}

func run(ctx context.Context, file string) (uint32, error) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer server.Close()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(conn, "hello from Go")
			conn.(*net.TCPConn).CloseWrite()
			// A close with unread bytes would reset the connection (RFC 2525, section 2.17).
			io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	addr := server.Addr().(*net.TCPAddr).AddrPort()
	rules, err := policy.Rules(policy.Connect(policy.TCP, addr.Addr(), int(addr.Port())))
	if err != nil {
		return 0, err
	}

	wasm, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{})
	if err != nil {
		return 0, err
	}
	defer rt.Close(ctx)
	mod, err := rt.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", file, err)
	}
	status, err := mod.Run(ctx, wasport.Config{
		Args:      []string{file, addr.Addr().String(), strconv.Itoa(int(addr.Port()))},
		Stdout:    os.Stdout,
		Stderr:    os.Stderr,
		Policy:    policy.New(rules, policy.Limits{}),
		OnRefusal: func(r *policy.Refusal) { log.Print(r) },
	})
	return status.Code, err
}
