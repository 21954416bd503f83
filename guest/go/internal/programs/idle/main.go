// Command idle has both ends of connections on which nothing happens: idle CONNECTIONS DURATION.
// Once they are open it prints a line, and after DURATION, which is the deadline of all that waits,
// how many goroutines have waited.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasport/wasport/guest/go/gonet"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "idle:", err)
		os.Exit(1)
	}
}

func run(connections, duration string) error {
	n, err := strconv.Atoi(connections)
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(duration)
	if err != nil {
		return err
	}
	l, err := gonet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var conns []net.Conn
	for range n {
		client, err := gonet.Dial("tcp", l.Addr().String())
		if err != nil {
			return err
		}
		server, err := l.Accept()
		if err != nil {
			return err
		}
		conns = append(conns, client, server)
	}
	fmt.Println("open")
	deadline := time.Now().Add(d)
	var timeouts atomic.Int32
	wait := func(try func() error) {
		var timeout net.Error
		if err := try(); errors.As(err, &timeout) && timeout.Timeout() {
			timeouts.Add(1)
		}
	}
	var all sync.WaitGroup
	for _, c := range conns {
		c.SetDeadline(deadline)
		all.Go(func() {
			wait(func() error {
				_, err := c.Read(make([]byte, 1))
				return err
			})
		})
	}
	l.(*gonet.TCPListener).SetDeadline(deadline)
	wait(func() error {
		_, err := l.Accept()
		return err
	})
	all.Wait()
	fmt.Println(timeouts.Load(), "have waited")
	return nil
}
