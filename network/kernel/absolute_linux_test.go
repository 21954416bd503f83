package kernel_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/testutil"

	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// TestHostResolverWithSearchDomain asks the host's resolver, that of Go and, in builds with cgo,
// that of the C library, with the configuration of a host in namespaces of its own.
func TestHostResolverWithSearchDomain(t *testing.T) {
	for _, resolver := range []string{"go", "cgo"} {
		t.Run(resolver, func(t *testing.T) {
			env := []string{"GODEBUG=netdns=" + resolver}
			testutil.InNamespaces(t, unix.CLONE_NEWNET|unix.CLONE_NEWNS, env,
				func(t *testing.T) {
					testutil.BringUp(t, "lo")
					server, file := configure(t)
					t.Run("absolute names", func(t *testing.T) { absoluteNames(t, server) })
					t.Run("hosts file", func(t *testing.T) { hostsFile(t, server) })
					t.Run("end", func(t *testing.T) { endedLookups(t, server) })
					if resolver == "go" { // which reads the hosts file in either case
						t.Run("changed file", func(t *testing.T) { changedHostsFile(t, file) })
					}
				})
		})
	}
}

// configure gives the host a search domain, a server that answers for names in it, and a hosts
// file. The timeout is longer than the test, so that a query without an answer fails it.
func configure(t *testing.T) (server *dnstest.Server, hosts string) {
	t.Helper()
	check(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	dir := t.TempDir()
	for name, text := range map[string]string{
		"resolv.conf":   "nameserver 127.0.0.1\nsearch evil.test\noptions ndots:5 timeout:30\n",
		"hosts":         "127.0.0.9 printer printer.lan\n",
		"nsswitch.conf": "hosts: files dns\n",
	} {
		file := filepath.Join(dir, name)
		check(t, os.WriteFile(file, []byte(text), 0o644))
		check(t, unix.Mount(file, "/etc/"+name, "", unix.MS_BIND, ""))
	}
	server, err := dnstest.StartAt(netip.MustParseAddrPort("127.0.0.1:53"))
	check(t, err)
	t.Cleanup(func() { server.Close() })
	return server, filepath.Join(dir, "hosts")
}

func absoluteNames(t *testing.T, server *dnstest.Server) {
	for name, answer := range map[string]string{
		"pub.evil.test": "192.0.2.66", "www.pub.evil.test": "192.0.2.66",
		"www.evil.test": "192.0.2.66",
		"single":        "192.0.2.1", "pub.test": "192.0.2.2",
	} {
		server.Set(name, dnstest.Addrs(answer))
	}
	r := kernel.New(kernel.Config{})
	for _, name := range []string{"pub", "pub.", "PUB", "www.pub", "www"} {
		wantFailure(t, r, network.AnyFamily, name, network.NoSuchHost)
	}
	wantLookup(t, r, network.AnyFamily, "single", "192.0.2.1")
	wantLookup(t, r, network.IPv4, "pub.test", "192.0.2.2")
	wantLookup(t, r, network.IPv4, "www.evil.test", "192.0.2.66")
	for _, name := range []string{"pub.evil.test", "www.pub.evil.test"} {
		if n := server.Asked(name, "udp"); n != 0 {
			t.Errorf("got %d questions for %s, want none", n, name)
		}
	}
}

func hostsFile(t *testing.T, server *dnstest.Server) {
	server.Set("localhost", dnstest.Addrs("192.0.2.66"))
	r := kernel.New(kernel.Config{})
	for _, name := range []string{"printer", "printer.", "printer.lan", "Printer.LAN",
		"printer.lan."} {
		wantLookup(t, r, network.AnyFamily, name, "127.0.0.9")
	}
	for _, name := range []string{"localhost", "localhost.", "LocalHost", "app.localhost"} {
		wantLookup(t, r, network.AnyFamily, name, "::1", "127.0.0.1")
		wantLookup(t, r, network.IPv4, name, "127.0.0.1")
	}
	if n := server.Asked("localhost", "udp"); n != 0 {
		t.Errorf("got %d questions for localhost, want none", n)
	}
}

// changedHostsFile puts another address of the same length into the hosts file, so that only the
// file's time tells. Go's resolver looks at that every 5 s.
func changedHostsFile(t *testing.T, file string) {
	r := kernel.New(kernel.Config{})
	wantLookup(t, r, network.AnyFamily, "printer", "127.0.0.9")
	check(t, os.WriteFile(file, []byte("127.0.0.8 printer printer.lan\n"), 0o644))
	later := time.Now().Add(time.Minute) // A file system's time may be as coarse as some ms.
	check(t, os.Chtimes(file, later, later))
	want := addrs("127.0.0.8")
	for deadline := soon(); ; time.Sleep(10 * time.Millisecond) {
		got, err := r.LookupAddrs(t.Context(), network.AnyFamily, "printer")
		if err == nil && slices.Equal(got, want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %v, %v, want %v after the file has changed", got, err, want)
		}
	}
}

// endedLookups cancels several lookups of one name at once, as the threads of a guest make them.
func endedLookups(t *testing.T, server *dnstest.Server) {
	const lookups = 20
	if _, err := (&net.Resolver{}).LookupPort(t.Context(), "tcp", "http"); err != nil {
		t.Log(err) // which has opened what the process keeps
	}
	server.Set("silent.test", dnstest.Answer{Silent: true})
	before := openFiles(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := kernel.New(kernel.Config{})
	var ended sync.WaitGroup
	for range lookups {
		ended.Go(func() {
			_, err := r.LookupAddrs(ctx, network.IPv4, "silent.test")
			wantErr(t, "lookup", err, context.Canceled)
		})
	}
	for deadline := soon(); server.Asked("silent.test",
		"udp") < lookups; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("got %d questions, want one from each of %d lookups",
				server.Asked("silent.test", "udp"), lookups)
		}
	}
	cancel()
	ended.Wait()
	if cgo := os.Getenv("GODEBUG") == "netdns=cgo"; cgo && usesC() {
		return // getaddrinfo(3) cannot be cancelled.
	}
	for deadline := soon(); openFiles(t) > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("got %d descriptors open after the lookups, want %d", openFiles(t), before)
		}
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	check(t, err)
	return len(entries)
}
