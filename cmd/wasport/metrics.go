package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/policy"
)

// expositionType is the content type of Prometheus' text format 0.0.4. Source: Prometheus,
// "Exposition formats". The client library would bring a tree of modules for these lines.
const expositionType = "text/plain; version=0.0.4; charset=utf-8"

// exposition renders a guest's counters in Prometheus' text format. No name or label in it comes
// from a guest, so nothing needs escaping.
func exposition(c wasport.Counters) []byte {
	var b bytes.Buffer
	family := func(name, kind, help string) {
		fmt.Fprintf(&b, "# HELP wasport_%s %s\n# TYPE wasport_%s %s\n", name, help, name, kind)
	}
	family("decisions_total", "counter", "Decisions of the policy.")
	for op := range c.Allowed {
		for _, d := range []struct {
			decision string
			count    uint64
		}{{"allowed", c.Allowed[op]}, {"denied", c.Denied[op]}} {
			fmt.Fprintf(&b, "wasport_decisions_total{action=%q,decision=%q} %d\n",
				policy.Op(op).String(), d.decision, d.count)
		}
	}
	for _, m := range []struct {
		name, kind string
		value      uint64
		help       string
	}{
		{"limited_total", "counter", c.Limited,
			"Calls that a limit refused, counted as denied too."},
		{"open_sockets", "gauge", uint64(c.OpenSockets), "Sockets that the guest has open."},
		{"sent_bytes_total", "counter", c.SentBytes, "Payload that the guest sent."},
		{"received_bytes_total", "counter", c.ReceivedBytes, "Payload that the guest received."},
		{"dropped_datagrams_total", "counter", c.DroppedDatagrams,
			"Datagrams from senders that the policy does not admit."},
		{"dropped_connections_total", "counter", c.DroppedConnections,
			"Connections from peers that the policy does not admit."},
		{"lookups_total", "counter", c.Lookups, "Names that were looked up for the guest."},
		{"filtered_addresses_total", "counter", c.FilteredAddrs,
			"Addresses that were removed from the answers to lookups."},
	} {
		family(m.name, m.kind, m.help)
		fmt.Fprintf(&b, "wasport_%s %d\n", m.name, m.value)
	}
	return b.Bytes()
}

// serveMetrics serves a guest's counters until stop is called.
func serveMetrics(l net.Listener, guest *wasport.Guest) (stop func() error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", expositionType)
		w.Write(exposition(guest.Counters()))
	})
	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second,
		WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	go server.Serve(l)
	printMessage(fmt.Sprintf("metrics are at http://%v/metrics", l.Addr()))
	return server.Close
}
