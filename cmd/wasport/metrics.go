package main

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/policy"
)

// metrics shows a guest's counters to Prometheus.
type metrics struct{ guest *wasport.Guest }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("wasport_"+name, help, labels, nil)
}

var (
	decisions   = desc("decisions_total", "What the policy has decided.", "action", "decision")
	limited     = desc("limited_total", "Calls that a limit has refused.")
	openSockets = desc("open_sockets", "Sockets that the guest has open.")
	sent        = desc("sent_bytes_total", "Payload that the guest has sent.")
	received    = desc("received_bytes_total", "Payload that the guest has received.")
	datagrams   = desc("dropped_datagrams_total", "Datagrams of senders that the guest may not hear.")
	connections = desc("dropped_connections_total", "Connections of peers that the guest may not accept.")
	lookups     = desc("lookups_total", "Names that were looked up for the guest.")
	filtered    = desc("filtered_addresses_total", "Addresses that were taken out of the answers to lookups.")
)

func (m metrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

func (m metrics) Collect(ch chan<- prometheus.Metric) {
	c := m.guest.Counters()
	show := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for op := range c.Allowed {
		show(decisions, c.Allowed[op], policy.Op(op).String(), "allowed")
		show(decisions, c.Denied[op], policy.Op(op).String(), "denied")
	}
	show(limited, c.Limited)
	ch <- prometheus.MustNewConstMetric(openSockets, prometheus.GaugeValue, float64(c.OpenSockets))
	show(sent, c.SentBytes)
	show(received, c.ReceivedBytes)
	show(datagrams, c.DroppedDatagrams)
	show(connections, c.DroppedConnections)
	show(lookups, c.Lookups)
	show(filtered, c.FilteredAddrs)
}

// serveMetrics serves a guest's counters until stop is called.
func serveMetrics(l net.Listener, guest *wasport.Guest) (stop func() error) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics{guest})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	go server.Serve(l)
	say(fmt.Sprintf("wasport: metrics are at http://%v/metrics\n", l.Addr()))
	return server.Close
}
