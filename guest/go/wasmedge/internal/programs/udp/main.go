//go:build wasip1

// Command udp sends datagrams by WasmEdge's socket functions:
//
//	udp serve ADDR    sends datagrams back, and prints its address
//	udp ask ADDR      sends datagrams of several sizes, and prints the answers
package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/stealthrocket/net/wasip1"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println("udp:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("udp serve ADDR, or udp ask ADDR")
	}
	if args[0] == "serve" {
		return serve(args[1])
	}
	return ask(args[1])
}

func serve(address string) error {
	c, err := wasip1.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	fmt.Println(c.LocalAddr())
	b := make([]byte, 4096)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return err
		}
		if _, err := c.WriteTo(b[:n], from); err != nil {
			return err
		}
	}
}

func ask(address string) error {
	c, err := wasip1.Dial("udp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Println(c.RemoteAddr())
	b := make([]byte, 4096)
	for _, size := range []int{1, 100, 1400} {
		if _, err := fmt.Fprint(c, strings.Repeat("x", size)); err != nil {
			return err
		}
		n, err := c.Read(b)
		if err != nil {
			return err
		}
		fmt.Println(n, string(b[:min(n, 10)]))
	}
	return nil
}
