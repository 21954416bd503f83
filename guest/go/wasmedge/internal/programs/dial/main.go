//go:build wasip1

// Command dial connects by WasmEdge's socket functions: dial NETWORK ADDRESS... prints the peer's
// address and the line that the peer sends, for each address. Without the build tag getaddrinfo
// names are looked up by Go's resolver, which asks the server that DNS names.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"

	"github.com/stealthrocket/net/wasip1"
)

func main() {
	if server := os.Getenv("DNS"); server != "" {
		net.DefaultResolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return wasip1.DialContext(ctx, network, server)
		}
	}
	for _, address := range os.Args[2:] {
		if err := dial(os.Args[1], address); err != nil {
			fmt.Println("dial:", err)
			os.Exit(1)
		}
	}
}

func dial(network, address string) error {
	c, err := wasip1.Dial(network, address)
	if err != nil {
		return err
	}
	defer c.Close()
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return err
	}
	fmt.Print(c.RemoteAddr(), " ", line)
	return nil
}
