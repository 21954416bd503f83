// Goclient is the client of ../client.c in Go, natively or as a guest.
package main

import (
	"fmt"
	"io"
	"net"
	"os"

	"github.com/wasport/wasport/guest/go/gonet"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: client HOST PORT")
		os.Exit(2)
	}
	conn, err := gonet.Dial("tcp", net.JoinHostPort(os.Args[1], os.Args[2]))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer conn.Close()
	io.Copy(os.Stdout, conn)
}
