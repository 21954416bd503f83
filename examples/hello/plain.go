//go:build ignore

// Plain connects to HOST:PORT by package net alone, which reaches nothing in a guest.
package main

import (
	"fmt"
	"net"
	"os"
)

func main() {
	conn, err := net.Dial("tcp", os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	conn.Close()
}
