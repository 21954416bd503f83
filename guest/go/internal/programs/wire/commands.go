package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/wasport/wasport/guest/go/gonet"
)

// commands are for tests that have a network of their own.
var commands = map[string]func(args []string){
	"lookup": lookup, "pending": pending, "options": optionsOf, "member": member, "send": send,
}

// lookup looks names up, and connects to them. Natively it asks the server in the variable DNS, as
// the host does for a guest.
func lookup(addresses []string) {
	if server := os.Getenv("DNS"); server != "" {
		net.DefaultResolver.PreferGo = true
		net.DefaultResolver.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "udp", server)
		}
	}
	ctx := context.Background()
	r := gonet.DefaultResolver
	for _, address := range addresses {
		name, _, _ := net.SplitHostPort(address)
		fmt.Printf("== %s\n", name)
		hosts, err := r.LookupHost(ctx, name)
		fmt.Println(hosts, describe(err))
		ips, err := r.LookupIPAddr(ctx, name)
		for _, ip := range ips {
			fmt.Print(ip.String(), " ")
		}
		fmt.Println(describe(err))
		for _, network := range []string{"ip", "ip4", "ip6"} {
			addrs, err := r.LookupNetIP(ctx, network, name)
			for _, a := range addrs {
				fmt.Print(a.Unmap(), " ") // package net has IPv4 as mapped addresses
			}
			fmt.Println(describe(err))
		}
		greeting(gonet.Dial("tcp", address))
	}
	fmt.Println("== ended context")
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err := r.LookupNetIP(ended, "ip", "ended.test.")
	fmt.Println(describe(err), errors.Is(err, context.Canceled))
	ended, cancel = context.WithDeadline(ctx, time.Unix(1, 0))
	defer cancel()
	_, err = r.LookupNetIP(ended, "ip", "ended.test.")
	fmt.Println(describe(err), errors.Is(err, context.DeadlineExceeded))
	greeting(gonet.DialContext(ended, "tcp", "ended.test.:1"))
}

// greeting prints the text that the server of a connection sends.
func greeting(c net.Conn, err error) {
	if err != nil {
		fmt.Println(describe(err))
		return
	}
	defer c.Close()
	text, err := io.ReadAll(c)
	fmt.Printf("%q %s\n", text, describe(err))
}

// pending connects to an address that does not answer. The server at control says a byte when a
// connect waits that shall be cancelled.
func pending(args []string) {
	control, err := gonet.Dial("tcp", args[1])
	if err != nil {
		fmt.Println("control:", describe(err))
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		control.Read(make([]byte, 1))
		cancel()
	}()
	_, err = gonet.DialContext(ctx, "tcp", args[0])
	fmt.Println(describe(err), errors.Is(err, context.Canceled))
	_, err = (&gonet.Dialer{Timeout: 20 * time.Millisecond}).Dial("tcp", args[0])
	fmt.Println(describe(err), errors.Is(err, context.DeadlineExceeded))
}

// optionsOf connects to an address once for each setting, then accepts a connection, and keeps all
// of them open until its stdin ends.
func optionsOf(args []string) {
	probes := net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 7 * time.Second,
		Count: 3}
	for _, setting := range []struct {
		dialer gonet.Dialer
		set    func(*gonet.TCPConn) error
	}{
		{}, {dialer: gonet.Dialer{KeepAlive: 20 * time.Second}},
		{dialer: gonet.Dialer{KeepAlive: -1}}, {dialer: gonet.Dialer{KeepAliveConfig: probes}},
		{set: func(c *gonet.TCPConn) error { return c.SetNoDelay(false) }},
		{set: func(c *gonet.TCPConn) error { return c.SetKeepAlive(false) }},
		{set: func(c *gonet.TCPConn) error { return c.SetKeepAlivePeriod(time.Minute) }},
		{set: func(c *gonet.TCPConn) error { return c.SetKeepAliveConfig(probes) }},
	} {
		c, err := setting.dialer.Dial("tcp", args[0])
		if err == nil && setting.set != nil {
			err = setting.set(c.(*gonet.TCPConn))
		}
		if err != nil {
			fmt.Println(describe(err))
		}
	}
	for _, config := range []gonet.ListenConfig{{}, {KeepAliveConfig: probes}} {
		l, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err == nil {
			_, err = gonet.Dial("tcp", l.Addr().String())
		}
		if err == nil {
			_, err = l.Accept()
		}
		if err != nil {
			fmt.Println(describe(err))
		}
	}
	fmt.Println("open")
	io.ReadAll(os.Stdin)
}

// member joins a group, prints its address, and answers the first datagram.
func member(args []string) {
	group, err := net.ResolveUDPAddr("udp", args[0])
	if err != nil {
		fmt.Println(describe(err))
		return
	}
	c, err := gonet.ListenMulticastUDP("udp", nil, group)
	if err != nil {
		fmt.Println(describe(err))
		return
	}
	fmt.Println(c.LocalAddr())
	b := make([]byte, 100)
	n, from, err := c.ReadFrom(b)
	if err == nil {
		_, err = c.WriteTo(append([]byte("heard "), b[:n]...), from)
	}
	if err != nil {
		fmt.Println(describe(err))
	}
}

// send sends a datagram to a group and prints the answer.
func send(args []string) {
	group, err := net.ResolveUDPAddr("udp", args[0])
	if err != nil {
		fmt.Println(describe(err))
		return
	}
	p, err := gonet.ListenPacket("udp", net.JoinHostPort(args[1], "0"))
	if err == nil {
		_, err = p.WriteTo([]byte("hello"), group)
	}
	b := make([]byte, 100)
	n := 0
	if err == nil {
		p.SetReadDeadline(time.Now().Add(time.Minute))
		n, _, err = p.ReadFrom(b)
	}
	fmt.Printf("%q %s\n", b[:n], describe(err))
}
