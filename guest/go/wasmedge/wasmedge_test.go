package wasmedge_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/guest/go/internal/guesttest"
	"github.com/wasport/wasport/policy"
)

var programs *guesttest.Programs

func TestMain(m *testing.M) { os.Exit(guesttest.Main(m, &programs)) }

// program is a guest's source and its flags of go build.
type program struct {
	name  string
	flags []string
}

func (p program) pkg() string { return "./internal/programs/" + p.name }

// wasirun returns a command that runs the same module on the other host.
func (p program) wasirun(t *testing.T, flags []string, args ...string) *exec.Cmd {
	t.Helper()
	host := programs.Native(t, "github.com/stealthrocket/wasi-go/cmd/wasirun")
	words := append([]string{"--sockets", "wasmedgev2"}, flags...)
	words = append(words, programs.Wasm(t, p.pkg(), p.flags...), "--")
	return exec.CommandContext(t.Context(), host, append(words, args...)...)
}

// compare runs a program here under a policy and on the other host, which must print the same. It
// then runs the program here without a rule, which must be refused.
func (p program) compare(t *testing.T, rules string, c wasport.Config, wasirunFlags []string,
	args ...string) {
	t.Helper()
	cmd := p.wasirun(t, wasirunFlags, args...)
	want, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: got %v, want no error\n%s", cmd, err, want)
	}
	module := programs.Guest(t, p.pkg(), p.flags...)
	c.Args = append([]string{p.name}, args...)
	c.Policy = guesttest.Policy(t, rules)
	if got := guesttest.Output(t, module, c); got != string(want) {
		t.Errorf("got %q, want as the other host %q", got, want)
	}

	var mu sync.Mutex
	var refused []string
	var out bytes.Buffer
	c.Policy, c.Stdout = nil, &out
	c.OnRefusal = func(r *policy.Refusal) {
		mu.Lock()
		defer mu.Unlock()
		refused = append(refused, r.Hint())
	}
	status, err := module.Run(t.Context(), c)
	if err != nil || status.Code == 0 || len(refused) == 0 ||
		!strings.Contains(out.String(), "ermission denied") {
		t.Errorf("without a rule got status %d, %v, refusals %q and\n%s"+
			"want a failure that says permission denied", status.Code, err, refused, &out)
	}
}

// forEachServer runs a test against a guest that serves here, and against it on the other host.
func (p program) forEachServer(t *testing.T, address string, run func(t *testing.T, addr string)) {
	t.Run("server here", func(t *testing.T) {
		run(t, guesttest.Serve(t, programs.Guest(t, p.pkg()), wasport.Config{
			Args:   []string{p.name, "serve", address},
			Policy: guesttest.Policy(t, "allow listen loopback"),
		})[0])
	})
	t.Run("server on the other host", func(t *testing.T) {
		run(t, guesttest.ServeNative(t, p.wasirun(t, nil, "serve", address))[0])
	})
}

var loopback = map[string]string{"IPv4": "127.0.0.1:0", "IPv6": "[::1]:0"}

func TestHTTPServerAnswersConcurrentRequests(t *testing.T) {
	for family, address := range loopback {
		t.Run(family, func(t *testing.T) {
			program{name: "web"}.forEachServer(t, address, fetchConcurrently)
		})
	}
}

func fetchConcurrently(t *testing.T, addr string) {
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
}

func TestHTTPClientFetchesConcurrently(t *testing.T) {
	for family, address := range loopback {
		t.Run(family, func(t *testing.T) {
			l := listen(t, address)
			server := &http.Server{Handler: http.HandlerFunc(
				func(w http.ResponseWriter, r *http.Request) {
					fmt.Fprintf(w, "hello %s", filepath.Base(r.URL.Path))
				})}
			go server.Serve(l)
			t.Cleanup(func() { server.Close() })
			program{name: "web"}.compare(t, "allow connect tcp://"+l.Addr().String(),
				wasport.Config{}, nil, "get", "http://"+l.Addr().String(), "100")
		})
	}
}

func TestUDPClientAndServer(t *testing.T) {
	for family, address := range loopback {
		t.Run(family, func(t *testing.T) {
			udp := program{name: "udp"}
			udp.forEachServer(t, address, func(t *testing.T, addr string) {
				udp.compare(t, "allow connect udp://"+addr, wasport.Config{}, nil, "ask", addr)
			})
		})
	}
}

// TestListenIsRefusedWithoutRule starts servers without a rule.
func TestListenIsRefusedWithoutRule(t *testing.T) {
	for _, name := range []string{"web", "udp"} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			var refusals []error
			status, err := programs.Guest(t, program{name: name}.pkg()).Run(t.Context(),
				wasport.Config{
					Args: []string{name, "serve", "127.0.0.1:0"}, Stdout: &out,
					OnRefusal: func(r *policy.Refusal) { refusals = append(refusals, r) },
				})
			if err != nil || status.Code == 0 || len(refusals) != 1 {
				t.Errorf("got status %d, %v, refusals %q, want a failure and one refusal",
					status.Code, err, refusals)
			}
			if want := "ermission denied"; !strings.Contains(out.String(), want) {
				t.Errorf("got %q, want %q", &out, want)
			}
		})
	}
}

// listen serves on a loopback address until the test ends.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}
