// Command dns is a DNS client and server on github.com/miekg/dns, natively or as a guest:
//
//	dns serve              answers 192.0.2.7 to each question, by UDP and TCP, prints its address
//	dns ask ADDR NAME...   asks a server for addresses, by UDP and, if that is cut off, by TCP
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/miekg/dns"

	"github.com/wasport/wasport/guest/go/gonet"
)

func main() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) == 1 && args[0] == "serve":
		err = serve()
	case len(args) > 2 && args[0] == "ask":
		for _, name := range args[2:] {
			if err = ask(context.Background(), args[1], name); err != nil {
				break
			}
		}
	default:
		err = fmt.Errorf("dns serve, or dns ask ADDR NAME")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dns:", err)
		os.Exit(1)
	}
}

func serve() error {
	packets, streams, err := listenOnOnePort()
	if err != nil {
		return err
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		r.Answer = append(r.Answer, &dns.A{
			Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET},
			A:   net.IPv4(192, 0, 2, 7),
		})
		w.WriteMsg(r)
	})
	failed := make(chan error, 2)
	go func() {
		failed <- (&dns.Server{PacketConn: packets, Handler: handler}).ActivateAndServe()
	}()
	go func() {
		failed <- (&dns.Server{Listener: streams, Handler: handler}).ActivateAndServe()
	}()
	fmt.Println(packets.LocalAddr())
	return <-failed
}

// listenOnOnePort opens a UDP and a TCP socket at one port. It tries again if another program has
// the TCP port of the number that the system chose for UDP.
func listenOnOnePort() (packets net.PacketConn, streams net.Listener, err error) {
	for range 10 {
		if packets, err = gonet.ListenPacket("udp", "127.0.0.1:0"); err != nil {
			return nil, nil, err
		}
		streams, err = gonet.Listen("tcp", packets.LocalAddr().String())
		if err == nil {
			return packets, streams, nil
		}
		packets.Close()
	}
	return nil, nil, err
}

func ask(ctx context.Context, server, name string) error {
	for _, typ := range []uint16{dns.TypeA, dns.TypeAAAA} {
		q := new(dns.Msg).SetQuestion(dns.Fqdn(name), typ)
		q.Id = 4711 // for outputs that can be compared
		r, err := exchange(ctx, "udp", server, q)
		if err == nil && r.Truncated {
			fmt.Println("cut off")
			r, err = exchange(ctx, "tcp", server, q)
		}
		if err != nil {
			return err
		}
		fmt.Println(name, dns.TypeToString[typ], dns.RcodeToString[r.Rcode])
		for _, a := range r.Answer {
			fmt.Println(a)
		}
	}
	return nil
}

func exchange(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
	conn, err := gonet.DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	client := &dns.Client{Timeout: 10 * time.Second}
	r, _, err := client.ExchangeWithConnContext(ctx, q, &dns.Conn{Conn: conn})
	return r, err
}
