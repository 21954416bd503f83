package components

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/policy"
)

func TestArguments(t *testing.T) {
	o := run(t, "real_args", wasport.Config{Args: []string{"a b", "é"}, Env: []string{"K=v=w"}})
	o.check(t, "arg: a b\narg: é\nenv: K=v=w\n", 0)
}

func TestClocks(t *testing.T) {
	o := run(t, "real_clocks", wasport.Config{})
	_, rest, _ := strings.Cut(o.stdout.String(), "\n")
	if want := "slept_at_least_50ms=true\n"; rest != want || o.err != nil {
		t.Errorf("got %q after the first line and error %v, want %q", rest, o.err, want)
	}
}

func TestRandom(t *testing.T) {
	o := run(t, "real_random", wasport.Config{})
	o.check(t, "bytes_len=16\nu64_nonzero_likely=true\ninsecure_bytes_len=8\n"+
		"insecure_u64_ok=true\nseed_ok=true\n", 0)
}

func TestMega(t *testing.T) {
	dir, host := mount(t, map[string]string{"in.txt": "hello mega world"})
	o := run(t, "real_mega", wasport.Config{Args: []string{"alpha", "beta"},
		Env: []string{"GREETING=hi"}, Dirs: []wasport.Dir{dir},
		Stdin: strings.NewReader("stdin data here\n")})
	o.check(t, `args=["alpha", "beta"]
env_GREETING=hi
wordcounts=[("brown", 1), ("fox", 2), ("quick", 1), ("the", 2)]
stdin_upper=STDIN DATA HERE
fs_roundtrip=HELLO MEGA WORLD
clock_positive=true
`, 0)
	if got, want := readFile(t, host, "out.txt"), "HELLO MEGA WORLD"; got != want {
		t.Errorf("got out.txt with %q, want %q", got, want)
	}
}

func TestFiles(t *testing.T) {
	tests := []struct {
		name   string
		files  map[string]string
		stdout string
		wrote  map[string]string
	}{
		{"real_readfile", map[string]string{"greeting.txt": "good day"}, "good day", nil},
		{"real_transform", map[string]string{"input.txt": "hello world"}, "",
			map[string]string{"output.txt": "HELLO WORLD"}},
		{"real_fsops", map[string]string{"a.txt": "hello-a"},
			"renamed=hello-a\nsub_file=in-sub\nremoved_dir=true\n",
			map[string]string{"b.txt": "hello-a"}},
		{"real_hardlink", map[string]string{"a.txt": "linked"}, "hard=linked\n",
			map[string]string{"hard.txt": "linked"}},
		{"real_gowrite", nil, "size=1 ok\nsize=8 ok\nsize=4096 ok\nsize=70000 ok\n", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir, host := mount(t, test.files)
			run(t, test.name, wasport.Config{Dirs: []wasport.Dir{dir}}).check(t, test.stdout, 0)
			for name, want := range test.wrote {
				if got := readFile(t, host, name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

// TestDirectories gives a program three directories, of which the first contains the names of the
// others.
func TestDirectories(t *testing.T) {
	root, rootHost := mount(t, map[string]string{"a.txt": "from-root"})
	tmp, tmpHost := mount(t, map[string]string{"a.txt": "from-tmp"})
	pkg, pkgHost := mount(t, map[string]string{"a.txt": "from-pkg"})
	tmp.Guest, pkg.Guest = "/tmp", "/site-packages"
	o := run(t, "real_multifs", wasport.Config{Dirs: []wasport.Dir{root, tmp, pkg}})
	o.check(t, `root=from-root
tmp=from-tmp
pkg=from-pkg
wrote_tmp=scratch
nested=nested
root_ls=["a.txt"]
escape_sideways_err=true
escape_host_err=true
`, 0)
	if got := readFile(t, tmpHost, "sub", "deep.txt"); got != "nested" {
		t.Errorf("got deep.txt with %q, want nested", got)
	}
	for _, dir := range []string{rootHost, pkgHost} {
		if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(names) != 1 {
			t.Errorf("got files %q, want a.txt alone", names)
		}
	}
}

// allow returns a policy of rules.
func allow(t *testing.T, rules ...string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("test",
		fmt.Appendf(nil, "allow = [\"%s\"]\n", strings.Join(rules, `", "`)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestTCPClient runs a program that connects, sends its argument and reads to the end.
func TestTCPClient(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			l, err := net.Listen("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			received := make(chan string, 1)
			go func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				b := make([]byte, len("ping"))
				io.ReadFull(conn, b)
				received <- string(b)
				fmt.Fprintf(conn, "reply to %s", b)
			}()
			o := run(t, "real_tcp", wasport.Config{Args: []string{l.Addr().String(), "ping"},
				Policy: allow(t, "connect tcp://"+l.Addr().String())})
			o.check(t, "reply to ping", 0)
			if got := <-received; got != "ping" {
				t.Errorf("the server got %q, want ping", got)
			}
		})
	}
}

// lineAfter runs a server program in the background, and returns the rest of its first line after
// a prefix.
func lineAfter(t *testing.T, name, prefix, rule string) (rest string, o *output,
	stdout *bufio.Reader, wait func()) {
	t.Helper()
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer w.Close()
		o = run(t, name, wasport.Config{Stdout: w, Policy: allow(t, rule)})
	}()
	stdout = bufio.NewReader(r)
	line, err := stdout.ReadString('\n')
	rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), prefix)
	if err != nil || !ok {
		t.Fatalf("got %q and error %v, want a line that begins with %q", line, err, prefix)
	}
	return rest, o, stdout, func() {
		t.Helper()
		go io.Copy(io.Discard, stdout)
		<-done
		if o.err != nil || o.status.Code != 0 {
			t.Errorf("got status %d and error %v, want 0; stderr: %s", o.status.Code, o.err,
				&o.stderr)
		}
	}
}

// TestTCPServer connects to a program that accepts one connection and answers in capitals.
func TestTCPServer(t *testing.T) {
	address, _, stdout, wait := lineAfter(t, "real_tcp_listen", "listening on ",
		"listen tcp://127.0.0.1:0")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	line, err := stdout.ReadString('\n')
	if want := "accepted from " + conn.LocalAddr().String() + "\n"; line != want {
		t.Errorf("got %q and error %v, want %q", line, err, want)
	}
	fmt.Fprint(conn, "hello tcp")
	b, err := io.ReadAll(conn)
	if got, want := string(b), "HELLO TCP"; got != want {
		t.Errorf("got %q and error %v, want %q", got, err, want)
	}
	wait()
}

// TestUDPClient runs a program that sends its argument and prints the datagram that comes back.
func TestUDPClient(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		b := make([]byte, 100)
		if n, from, err := server.ReadFrom(b); err == nil {
			server.WriteTo(append([]byte("echo "), b[:n]...), from)
		}
	}()
	address := server.LocalAddr().String()
	o := run(t, "real_udp", wasport.Config{Args: []string{address, "ping"},
		Policy: allow(t, "connect udp://"+address, "listen udp://127.0.0.1:0")})
	o.check(t, "echo ping", 0)
}

// TestUDPServer sends a datagram to a program that answers in capitals.
func TestUDPServer(t *testing.T) {
	address, _, _, wait := lineAfter(t, "real_udp_server", "listening on ",
		"listen udp://127.0.0.1:0")
	conn, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "hello udp")
	b := make([]byte, 100)
	n, err := conn.Read(b)
	if got, want := string(b[:n]), "HELLO UDP"; got != want {
		t.Errorf("got %q and error %v, want %q", got, err, want)
	}
	wait()
}

// TestLookup runs a program that prints the addresses of a name.
func TestLookup(t *testing.T) {
	resolve := wasport.Config{Args: []string{"localhost", "80"},
		Policy: allow(t, "resolve localhost")}
	o := run(t, "real_dns", resolve)
	if want := "resolved=127.0.0.1\n"; o.err != nil || !strings.Contains(o.stdout.String(), want) {
		t.Errorf("got %q and error %v, want a line %q", &o.stdout, o.err, want)
	}
	refused := wasport.Config{Args: []string{"localhost", "80"}, Policy: allow(t, "resolve other")}
	run(t, "real_dns", refused).check(t, "error=failed to lookup address information: "+
		"Non-recoverable error\ncount=0\n", 0)
	literal := wasport.Config{Args: []string{"127.0.0.9", "80"}}
	run(t, "real_dns", literal).check(t, "resolved=127.0.0.9\ncount=1\n", 0)
}

// TestNoCommand starts libraries.
func TestNoCommand(t *testing.T) {
	for _, name := range []string{"real_resource", "real_manyparams"} {
		o := run(t, name, wasport.Config{})
		if want := "it does not export wasi:cli/run"; o.err == nil ||
			!strings.Contains(o.err.Error(), want) {
			t.Errorf("%s: got error %v, want %q", name, o.err, want)
		}
	}
}

// TestHTTPRefused compiles programs that need wasi:http.
func TestHTTPRefused(t *testing.T) {
	dir, err := wasip2()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "real_http_*.component.wasm"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got components %v and error %v, want some", files, err)
	}
	ctx := context.Background()
	rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{Interpreter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close(ctx)
	for _, file := range files {
		wasm, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = rt.Compile(ctx, wasm, wasport.CompileConfig{})
		if err == nil || !strings.Contains(err.Error(), "wasi:http is not supported, see docs/") {
			t.Errorf("%s: got error %v, want wasi:http is not supported", filepath.Base(file), err)
		}
	}
}
