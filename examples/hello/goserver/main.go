// Goserver is the server of ../server.c in Go, natively or as a guest.
package main

import (
	"fmt"
	"os"

	"github.com/wasport/wasport/guest/go/gonet"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: server PORT")
		os.Exit(2)
	}
	l, err := gonet.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening on port", os.Args[1])
	for {
		conn, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Fprintln(conn, "hello from WebAssembly")
		conn.Close()
	}
}
