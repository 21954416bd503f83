package goguest_test

import (
	"bytes"
	"context"
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
	"github.com/wasport/wasport/policy"
)

// programs are the test's programs, each built natively and as a guest, once.
var programs struct {
	sync.Mutex
	dir     string
	runtime *wasport.Runtime
	modules map[string]*wasport.Module
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "goguest")
	if err != nil {
		panic(err)
	}
	rt, err := wasport.NewRuntime(context.Background(), wasport.RuntimeConfig{})
	if err != nil {
		panic(err)
	}
	programs.dir, programs.runtime = dir, rt
	programs.modules = make(map[string]*wasport.Module)
	status := m.Run()
	rt.Close(context.Background())
	os.RemoveAll(dir)
	os.Exit(status)
}

// build compiles a program for a system, and returns the file.
func build(t *testing.T, name, goos string) string {
	t.Helper()
	out := filepath.Join(programs.dir, name+"-"+goos)
	cmd := exec.Command("go", "build", "-o", out, "./internal/programs/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if goos == "wasip1" {
		cmd.Env = append(cmd.Env, "GOOS=wasip1", "GOARCH=wasm")
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", name, err, text)
	}
	return out
}

func guest(t *testing.T, name string) *wasport.Module {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	if m, ok := programs.modules[name]; ok {
		return m
	}
	wasm, err := os.ReadFile(build(t, name, "wasip1"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := programs.runtime.Compile(context.Background(), wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	programs.modules[name] = m
	return m
}

// rules is a policy of rules, each a line.
func rules(t *testing.T, text string) *policy.Policy {
	t.Helper()
	var list []policy.Rule
	for line := range strings.Lines(text) {
		r, err := policy.ParseRule(strings.TrimSpace(line), policy.Origin{Source: "test"})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return policy.New(list, policy.Limits{})
}

// TestGuestDoesAsNativeProgram runs one program natively and as a guest and compares the outputs.
func TestGuestDoesAsNativeProgram(t *testing.T) {
	native := build(t, "wire", "native")
	everything := rules(t, `allow connect any
allow listen any
allow join any
allow resolve localhost`)
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			want, err := exec.Command(native, host).Output()
			if err != nil {
				t.Fatalf("natively: %v\n%s", err, want)
			}
			var got bytes.Buffer
			status, err := guest(t, "wire").Run(context.Background(), wasport.Config{
				Args: []string{"wire", host}, Stdout: &got, Stderr: os.Stderr, Policy: everything,
			})
			if err != nil || status.Code != 0 {
				t.Errorf("got status %d, %v, want 0", status.Code, err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("got (-) another output than natively (+):\n%s",
					diff(got.String(), string(want)))
			}
		})
	}
}

// diff lists the lines in which two texts differ, under the heading that they stand under.
func diff(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	var b strings.Builder
	heading := ""
	for i := range max(len(g), len(w)) {
		line := func(list []string) string {
			if i < len(list) {
				return list[i]
			}
			return ""
		}
		if strings.HasPrefix(line(w), "== ") {
			heading = line(w)
		}
		if line(g) != line(w) {
			fmt.Fprintf(&b, "%s\n- %s\n+ %s\n", heading, line(g), line(w))
		}
	}
	return b.String()
}

// serve starts the guest's HTTP server and returns its address.
func serve(t *testing.T, address string, p *policy.Policy) string {
	t.Helper()
	r, w := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	g, err := guest(t, "web").Start(ctx, wasport.Config{
		Args: []string{"web", "serve", address}, Stdout: w, Stderr: os.Stderr, Policy: p,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		r.Close()
		g.Wait()
	})
	var addr string
	if _, err := fmt.Fscanln(r, &addr); err != nil {
		t.Fatal(err)
	}
	return addr
}

func TestHTTPServerAnswersRequestsAtOnce(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			addr := serve(t, address, rules(t, "allow listen loopback"))
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

// TestHTTPClientFetchesAtOnce fetches a hundred pages at once by http.Get, which the blank import
// gave the network.
func TestHTTPClientFetchesAtOnce(t *testing.T) {
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
			status, err := guest(t, "web").Run(context.Background(), wasport.Config{
				Args:   []string{"web", "get", "http://" + l.Addr().String(), "100"},
				Stdout: &out, Stderr: io.Discard, Policy: rules(t, row.rules),
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
				t.Errorf("got %d refusals and status %d", refusals, status.Code)
			}
		})
	}
}
