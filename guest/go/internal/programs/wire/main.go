// Command wire uses each function of package gonet on loopback and prints what happened. A test
// runs it natively, where gonet is package net, and as a guest, and compares the outputs.
//
//	wire 127.0.0.1|::1 INTERFACE    INTERFACE is the index of the loopback interface
//	wire lookup NAME:PORT...        looks each name up and connects to it
//	wire pending ADDR CONTROL       gives up connecting to ADDR
//	wire options ADDR               connects with options, and accepts with options
//	wire member GROUP:PORT          answers a datagram to a group
//	wire send GROUP:PORT HOST       sends a datagram from HOST to a group, and prints the answer
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wasport/wasport/guest/go/gonet"
)

var (
	host     string
	loopback net.Interface
)

func main() {
	if command, ok := commands[os.Args[1]]; ok {
		command(os.Args[2:])
		return
	}
	host = os.Args[1]
	loopback.Index, _ = strconv.Atoi(os.Args[2])
	for _, check := range []struct {
		name string
		do   func()
	}{
		{"echo", echo}, {"addresses", addresses}, {"half-close", halfClose}, {"options", options},
		{"read deadline", readDeadline}, {"write deadline", writeDeadline},
		{"accept deadline", acceptDeadline}, {"read half closed", readHalfClosed},
		{"close wakes", closeWakes}, {"refused", refused}, {"dial context", dialContext},
		{"reset", reset}, {"address in use", inUse}, {"local address", localAddr},
		{"many connections", many}, {"packets", packets}, {"connected packets", connectedPackets},
		{"packet errors", packetErrors}, {"lookups", lookups}, {"bad addresses", badAddresses},
		{"everywhere", everywhere}, {"multicast", multicast},
	} {
		fmt.Printf("== %s\n", check.name)
		check.do()
	}
}

// describe prints an error by its types, since texts of errnos differ between systems.
func describe(err error) string {
	if err == nil {
		return "nil"
	}
	if err == io.EOF {
		return "EOF"
	}
	var list []string
	var op *net.OpError
	if errors.As(err, &op) {
		list = append(list, "OpError "+op.Op+" "+strings.TrimRight(op.Net, "46"))
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		list = append(list, fmt.Sprintf("DNSError %q not found %v", dns.Name, dns.IsNotFound))
	}
	var addr *net.AddrError
	if errors.As(err, &addr) {
		list = append(list, "AddrError")
	}
	for _, known := range []struct {
		name string
		err  error
	}{
		{"refused", syscall.ECONNREFUSED}, {"reset", syscall.ECONNRESET}, {"pipe", syscall.EPIPE},
		{"in use", syscall.EADDRINUSE}, {"closed", net.ErrClosed},
		{"deadline", os.ErrDeadlineExceeded}, {"too long", syscall.EMSGSIZE},
		{"connected", net.ErrWriteToConnected}, {"not available", syscall.EADDRNOTAVAIL},
	} {
		if errors.Is(err, known.err) {
			list = append(list, known.name)
		}
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		list = append(list, "timeout")
	}
	return strings.Join(list, ", ")
}

func listen() net.Listener {
	l, err := gonet.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		fmt.Println("listen:", describe(err))
		os.Exit(1)
	}
	return l
}

// pair is both ends of a connection.
func pair() (client, server *gonet.TCPConn) {
	l := listen()
	defer l.Close()
	c, err := gonet.Dial("tcp", l.Addr().String())
	if err != nil {
		fmt.Println("dial:", describe(err))
		os.Exit(1)
	}
	s, err := l.Accept()
	if err != nil {
		fmt.Println("accept:", describe(err))
		os.Exit(1)
	}
	return c.(*gonet.TCPConn), s.(*gonet.TCPConn)
}

func echo() {
	client, server := pair()
	go func() {
		io.Copy(server, server)
		server.Close()
	}()
	const size = 1 << 20
	go func() {
		client.Write(make([]byte, size))
		client.CloseWrite()
	}()
	all, err := io.ReadAll(client)
	fmt.Println(len(all), describe(err))
	fmt.Println(describe(client.Close()), describe(client.Close()))
}

func addresses() {
	client, server := pair()
	fmt.Println(client.LocalAddr().String() == server.RemoteAddr().String(),
		client.RemoteAddr().String() == server.LocalAddr().String())
	a := client.RemoteAddr().(*net.TCPAddr)
	fmt.Println(a.IP, a.Zone == "", a.Network())
}

func halfClose() {
	client, server := pair()
	fmt.Println(describe(client.CloseWrite()))
	b := make([]byte, 10)
	n, err := server.Read(b)
	fmt.Println(n, describe(err))
	server.Write([]byte("late"))
	server.Close()
	all, err := io.ReadAll(client)
	fmt.Printf("%q %s\n", all, describe(err))
	_, err = client.Write([]byte("x"))
	fmt.Println(describe(err))
}

func options() {
	c, _ := pair()
	for _, err := range []error{c.SetNoDelay(false), c.SetKeepAlive(true),
		c.SetKeepAlivePeriod(time.Minute), c.SetLinger(1), c.SetLinger(-1),
		c.SetReadBuffer(1 << 16),
		c.SetWriteBuffer(1 << 16),
		c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Second, Count: 3})} {
		fmt.Print(describe(err), " ")
	}
	c.Close()
	fmt.Println(describe(c.SetNoDelay(true)))
}

func readDeadline() {
	client, server := pair()
	client.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err := client.Read(make([]byte, 1))
	fmt.Println(describe(err))
	client.SetReadDeadline(time.Time{})
	server.Write([]byte("x"))
	n, err := client.Read(make([]byte, 1))
	fmt.Println(n, describe(err))
	client.SetDeadline(time.Unix(1, 0))
	_, err = client.Write([]byte("x"))
	fmt.Println(describe(err))
}

func writeDeadline() {
	client, server := pair()
	client.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	var err error
	for piece := make([]byte, 1<<20); err == nil; {
		_, err = client.Write(piece)
	}
	fmt.Println(describe(err))
	client.SetWriteDeadline(time.Time{})
	go io.Copy(io.Discard, server)
	n, err := client.Write([]byte("x"))
	fmt.Println(n, describe(err))
}

func readHalfClosed() {
	client, server := pair()
	fmt.Println(describe(client.CloseRead()))
	n, err := client.Read(make([]byte, 1))
	fmt.Println(n, describe(err))
	client.Write([]byte("x"))
	n, err = server.Read(make([]byte, 1))
	fmt.Println(n, describe(err))
}

func acceptDeadline() {
	l := listen()
	l.(*gonet.TCPListener).SetDeadline(time.Now().Add(20 * time.Millisecond))
	_, err := l.Accept()
	fmt.Println(describe(err))
}

func closeWakes() {
	client, _ := pair()
	done := make(chan error)
	go func() {
		_, err := client.Read(make([]byte, 1))
		done <- err
	}()
	l := listen()
	go func() {
		_, err := l.Accept()
		done <- err
	}()
	client.Close()
	fmt.Println(describe(<-done))
	l.Close()
	fmt.Println(describe(<-done))
	_, err := l.Accept()
	fmt.Println(describe(err))
}

func refused() {
	l := listen()
	addr := l.Addr().String()
	l.Close()
	_, err := gonet.Dial("tcp", addr)
	fmt.Println(describe(err))
}

func dialContext() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	l := listen()
	_, err := gonet.DialContext(ctx, "tcp", l.Addr().String())
	fmt.Println(errors.Is(err, context.Canceled),
		strings.Contains(fmt.Sprint(err), "operation was canceled"))
	d := gonet.Dialer{Deadline: time.Unix(1, 0)}
	_, err = d.Dial("tcp", l.Addr().String())
	fmt.Println(describe(err))
	ctx, cancel = context.WithTimeout(context.Background(), time.Minute)
	c, err := d.DialContext(ctx, "tcp", l.Addr().String())
	fmt.Println(c == nil, describe(err))
	c, err = new(gonet.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	cancel() // which does not end the connection
	if err == nil {
		_, err = c.Write([]byte("x"))
	}
	fmt.Println(describe(err))
}

func reset() {
	client, server := pair()
	server.SetLinger(0)
	server.Close()
	_, err := client.Read(make([]byte, 1))
	fmt.Println(describe(err))
}

func inUse() {
	l := listen()
	_, err := gonet.Listen("tcp", l.Addr().String())
	fmt.Println(describe(err))
}

func localAddr() {
	l := listen()
	d := gonet.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
	c, err := d.Dial("tcp", l.Addr().String())
	fmt.Println(describe(err))
	if err == nil {
		fmt.Println(c.LocalAddr().(*net.TCPAddr).IP)
	}
}

func many() {
	const n = 1000
	l := listen()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	conns := make([]net.Conn, n)
	for i := range conns {
		var err error
		if conns[i], err = gonet.Dial("tcp", l.Addr().String()); err != nil {
			fmt.Println(i, describe(err))
			return
		}
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	right := 0
	for i, c := range conns {
		all.Go(func() {
			text := fmt.Sprintf("connection %04d", i)
			c.Write([]byte(text))
			b := make([]byte, len(text))
			_, err := io.ReadFull(c, b)
			c.Close()
			mu.Lock()
			defer mu.Unlock()
			if err == nil && string(b) == text {
				right++
			}
		})
	}
	all.Wait()
	l.Close()
	fmt.Println(right, "of", n)
}

func packet() *gonet.UDPConn {
	p, err := gonet.ListenPacket("udp", net.JoinHostPort(host, "0"))
	if err != nil {
		fmt.Println("listen:", describe(err))
		os.Exit(1)
	}
	return p.(*gonet.UDPConn)
}

func packets() {
	a, b := packet(), packet()
	for _, text := range []string{"hello", "", "0123456789"} {
		n, err := a.WriteTo([]byte(text), b.LocalAddr())
		fmt.Println(n, describe(err))
		buf := make([]byte, 7)
		n, from, err := b.ReadFrom(buf)
		fmt.Printf("%q %v %s\n", buf[:n], from.String() == a.LocalAddr().String(), describe(err))
	}
	b.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, _, err := b.ReadFromUDPAddrPort(make([]byte, 1))
	fmt.Println(describe(err))
}

func connectedPackets() {
	server := packet()
	c, err := gonet.Dial("udp", server.LocalAddr().String())
	if err != nil {
		fmt.Println(describe(err))
		return
	}
	c.Write([]byte("ping"))
	b := make([]byte, 10)
	n, from, err := server.ReadFromUDP(b)
	fmt.Printf("%q %s\n", b[:n], describe(err))
	server.WriteToUDP([]byte("pong"), from)
	n, err = c.Read(b)
	fmt.Printf("%q %s\n", b[:n], describe(err))
	_, err = c.(*gonet.UDPConn).WriteTo([]byte("x"), server.LocalAddr())
	fmt.Println(describe(err))
}

func packetErrors() {
	a := packet()
	_, err := a.WriteTo(make([]byte, 70000), a.LocalAddr())
	fmt.Println(describe(err))
	_, err = a.Write([]byte("x"))
	fmt.Println(err != nil)
	a.Close()
	_, err = a.WriteTo([]byte("x"), a.LocalAddr())
	fmt.Println(describe(err))
}

func lookups() {
	ctx := context.Background()
	addrs, err := gonet.DefaultResolver.LookupHost(ctx, host)
	fmt.Println(addrs, describe(err))
	port, err := gonet.DefaultResolver.LookupPort(ctx, "tcp", "https")
	fmt.Println(port, describe(err))
	_, err = gonet.DefaultResolver.LookupPort(ctx, "tcp", "no-such-service")
	fmt.Println(err != nil)
}

func badAddresses() {
	for _, address := range []string{host, "", "[::1", net.JoinHostPort(host, "99999")} {
		_, err := gonet.Dial("tcp", address)
		fmt.Println(err != nil)
	}
	_, err := gonet.Dial("sctp", net.JoinHostPort(host, "1"))
	var unknown net.UnknownNetworkError
	fmt.Println(errors.As(err, &unknown))
	_, err = gonet.Dial("tcp6", "127.0.0.1:1")
	fmt.Println(describe(err))
}

// everywhere listens on all addresses, which for "tcp" is one socket for both families.
func everywhere() {
	l, err := gonet.Listen("tcp", ":0")
	if err != nil {
		fmt.Println(describe(err))
		return
	}
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	for _, address := range []string{"127.0.0.1", "::1"} {
		c, err := gonet.Dial("tcp", net.JoinHostPort(address, port))
		fmt.Println(describe(err))
		if err != nil {
			continue
		}
		s, err := l.Accept()
		fmt.Println(s.RemoteAddr().(*net.TCPAddr).IP, describe(err))
		c.Close()
	}
}

func multicast() {
	if host != "127.0.0.1" {
		return
	}
	group := &net.UDPAddr{IP: net.IPv4(239, 77, 1, 2)}
	c, err := gonet.ListenMulticastUDP("udp4", &loopback, group)
	fmt.Println(describe(err))
	if err != nil {
		return
	}
	at := c.LocalAddr().(*net.UDPAddr)
	fmt.Println(at.IP)
	sender := packet() // at 127.0.0.1, so that it sends on the loopback interface
	_, err = sender.WriteTo([]byte("to all"), &net.UDPAddr{IP: group.IP, Port: at.Port})
	fmt.Println(describe(err))
	c.SetReadDeadline(time.Now().Add(time.Minute))
	b := make([]byte, 10)
	n, from, err := c.ReadFrom(b)
	fmt.Printf("%q %v %s\n", b[:n], from.String() == sender.LocalAddr().String(), describe(err))
	c.Close()
}
