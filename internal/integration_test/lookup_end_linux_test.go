package integration_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/dnstest"
	"github.com/wasport/wasport/internal/testutil"
)

// TestGetaddrinfoEndsWithGuest ends guests that wait for a server which says nothing.
func TestGetaddrinfoEndsWithGuest(t *testing.T) {
	const guests = 20
	server, base := startNameServer(t)
	server.Set("silent.test", dnstest.Answer{Silent: true})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := open()
	var all []*guest
	for range guests {
		all = append(all, startGuestWith(t, ctx,
			wasport.Config{Network: base, Policy: testutil.Policy(t, "allow resolve *")},
			"lookup", "silent.test", "80", "4", "tcp"))
	}
	for server.Asked("silent.test", "udp") < guests {
		time.Sleep(time.Millisecond)
	}
	cancel()
	for _, g := range all {
		g.handle.Wait()
	}
	// On a busy machine some may have asked twice by now.
	for asked := server.Asked("silent.test", "udp"); open() > before; {
		if n := server.Asked("silent.test", "udp"); n >= asked+guests {
			t.Fatalf("got %d more questions of %d guests that have ended, and %d descriptors; "+
				"want %d", n-asked, guests, open(), before)
		}
		time.Sleep(time.Millisecond)
	}
}
