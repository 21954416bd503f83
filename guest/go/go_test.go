package goguest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/guest/go/internal/guesttest"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/policy"
)

var programs *guesttest.Programs

func TestMain(m *testing.M) { os.Exit(guesttest.Main(m, &programs)) }

const (
	wire = "./internal/programs/wire"
	web  = "./internal/programs/web"
)

// TestGuestPrintsSameAsNativeProgram runs one program natively and as a guest.
func TestGuestPrintsSameAsNativeProgram(t *testing.T) {
	everything := guesttest.Policy(t, `allow connect any
allow listen any
allow join any
allow resolve localhost`)
	loopback := strconv.Itoa(loopbackIndex(t))
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			want := guesttest.NativeOutput(t, programs.Native(t, wire), nil, host, loopback)
			got := guesttest.Output(t, programs.Guest(t, wire), wasport.Config{
				Args: []string{"wire", host, loopback}, Policy: everything,
			})
			if got != want {
				t.Errorf("got (-) an output that differs from the native one, want (+):\n%s",
					testutil.Diff(got, want))
			}
		})
	}
}

// loopbackIndex returns the index of the loopback interface.
func loopbackIndex(t *testing.T) int {
	t.Helper()
	list, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		if i.Flags&net.FlagLoopback != 0 {
			return i.Index
		}
	}
	t.Fatal("got no loopback interface, want one")
	return 0
}

// TestHTTPServerAnswersConcurrentRequests fetches a hundred pages of a guest at once.
func TestHTTPServerAnswersConcurrentRequests(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			addr := guesttest.Serve(t, programs.Guest(t, web), wasport.Config{
				Args:   []string{"web", "serve", address},
				Policy: guesttest.Policy(t, "allow listen loopback"),
			})[0]
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			var all sync.WaitGroup
			for i := range 100 {
				all.Go(func() {
					r, err := client.Get(fmt.Sprintf("http://%s/%d", addr, i))
					if err != nil {
						t.Error(err)
						return
					}
					defer r.Body.Close()
					got, err := io.ReadAll(r.Body)
					if want := fmt.Sprintf("hello %d", i); err != nil || string(got) != want {
						t.Errorf("got %q, %v, want %q", got, err, want)
					}
				})
			}
			all.Wait()
		})
	}
}

// TestHTTPClientFetchesConcurrently has a guest fetch a hundred pages at once by http.Get, to which
// the import of guest/go/http gives sockets.
func TestHTTPClientFetchesConcurrently(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello %s", strings.TrimPrefix(r.URL.Path, "/"))
	})}
	go server.Serve(l)
	defer server.Close()

	for _, row := range []struct{ name, rules, want string }{
		{"granted", "allow connect tcp://" + l.Addr().String(), "100 answers\n"},
		{"not granted", "allow connect tcp://127.0.0.1:1", "0 answers\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var refusals int
			var mu sync.Mutex
			var out bytes.Buffer
			status, err := programs.Guest(t, web).Run(context.Background(), wasport.Config{
				Args:   []string{"web", "get", "http://" + l.Addr().String(), "100"},
				Stdout: &out, Stderr: io.Discard, Policy: guesttest.Policy(t, row.rules),
				OnRefusal: func(*policy.Refusal) {
					mu.Lock()
					defer mu.Unlock()
					refusals++
				},
			})
			if err != nil || out.String() != row.want {
				t.Errorf("got %q, %v, want %q", out.String(), err, row.want)
			}
			if granted := row.name == "granted"; granted != (refusals == 0) ||
				granted != (status.Code == 0) {
				t.Errorf("got %d refusals and status %d, want none and 0: %t", refusals,
					status.Code, granted)
			}
		})
	}
}
