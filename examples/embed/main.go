// Command embed greets a guest: it serves TCP on a loopback address and runs a module that may
// connect there, and nowhere else.
//
//	embed FILE.wasm
//
// The module gets the server's address and port as its arguments.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"

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
			io.Copy(io.Discard, conn) // closing with data unread would cut off what was sent
			conn.Close()
		}
	}()
	rules := fmt.Sprintf("allow = [\"connect tcp://%v\"]", server.Addr())
	allowed, err := policy.Parse("embed", []byte(rules))
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
	host, port, _ := net.SplitHostPort(server.Addr().String())
	status, err := mod.Run(ctx, wasport.Config{
		Args:      []string{file, host, port},
		Stdout:    os.Stdout,
		Stderr:    os.Stderr,
		Policy:    allowed,
		OnRefusal: func(r *policy.Refusal) { log.Print(r) },
	})
	return status.Code, err
}
