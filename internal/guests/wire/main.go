// Command wire sends over the network with the functions of package net, natively or as a guest:
//
//	wire pingpong client PORT ROUNDS    sends 64 bytes and waits for their return
//	wire pingpong server                returns them until the end comes
//	wire send PORT BUFFER TOTAL         sends so many bytes in pieces of BUFFER
//	wire recv PORT BUFFER               receives all that the peer sends
//
// It prints the number of units and of nanoseconds that they took, as the programs in C do, and is
// their peer.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wasport/wasport/guest/go/gonet"
)

const usage = "wire pingpong client PORT ROUNDS | pingpong server | " +
	"send PORT BUFFER TOTAL | recv PORT BUFFER"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "wire:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var numbers []int
	var words []string
	for _, arg := range args {
		if n, err := strconv.Atoi(arg); err == nil {
			numbers = append(numbers, n)
		} else {
			words = append(words, arg)
		}
	}
	command := strings.Join(words, " ")
	if want, ok := map[string]int{"pingpong client": 2, "pingpong server": 0, "send": 3,
		"recv": 2}[command]; !ok || len(numbers) != want {
		return fmt.Errorf("usage: %s", usage)
	}
	conn, err := open(numbers)
	if err != nil {
		return err
	}
	defer conn.Close()
	start := time.Now()
	var units int
	switch command {
	case "pingpong client":
		units, err = ask(conn, numbers[1])
	case "pingpong server":
		units, err = answer(conn)
	case "send":
		units, err = pour(conn.(*gonet.TCPConn), numbers[1], numbers[2])
	case "recv":
		units, err = drain(conn, make([]byte, numbers[1]))
	}
	fmt.Println("result", units, time.Since(start).Nanoseconds())
	return err
}

// open connects to the port that is named first, or accepts a connection if none is.
func open(numbers []int) (net.Conn, error) {
	if len(numbers) > 0 {
		return gonet.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", numbers[0]))
	}
	l, err := gonet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	fmt.Println("port", l.Addr().(*net.TCPAddr).Port)
	return l.Accept()
}

func ask(conn net.Conn, rounds int) (int, error) {
	buf := make([]byte, 64)
	for i := range rounds {
		if _, err := conn.Write(buf); err != nil {
			return i, err
		}
		if _, err := io.ReadFull(conn, buf); err != nil {
			return i, err
		}
	}
	return rounds, nil
}

func answer(conn net.Conn) (int, error) {
	buf := make([]byte, 64)
	for rounds := 0; ; rounds++ {
		if _, err := io.ReadFull(conn, buf); err == io.EOF {
			return rounds, nil
		} else if err != nil {
			return rounds, err
		}
		if _, err := conn.Write(buf); err != nil {
			return rounds, err
		}
	}
}

// pour returns once the peer has read everything, and has closed the connection.
func pour(conn *gonet.TCPConn, size, total int) (int, error) {
	buf := make([]byte, size)
	for sent := 0; sent < total; sent += size {
		if _, err := conn.Write(buf); err != nil {
			return sent, err
		}
	}
	if err := conn.CloseWrite(); err != nil {
		return total, err
	}
	_, err := drain(conn, buf)
	return total, err
}

func drain(conn net.Conn, buf []byte) (total int, err error) {
	for {
		n, err := conn.Read(buf)
		total += n
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}
