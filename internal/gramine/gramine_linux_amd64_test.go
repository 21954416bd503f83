package gramine

import (
	"bytes"
	_ "embed"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	Enter()
	os.Exit(m.Run())
}

//go:embed calls.txt
var callsText string

// TestCalls compares the numbers that the filter is made of with the names in calls.txt.
func TestCalls(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "calls_linux_amd64.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(s.Sel.Name, "SYS_") {
			got = append(got, strings.ToLower(strings.TrimPrefix(s.Sel.Name, "SYS_")))
		}
		return true
	})
	var want []string
	for line := range strings.Lines(callsText) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			want = append(want, line)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEnterWithUnknownName(t *testing.T) {
	out, err := runTest("TestCalls", "graphene")
	want := `got "graphene", want "gramine"`
	if err == nil || !strings.Contains(string(out), want) {
		t.Errorf("got %v, %s; want an error with %s", err, out, want)
	}
}

// runTest runs a test in a process of its own with a value of Variable.
func runTest(name, value string) ([]byte, error) {
	cmd := exec.Command(os.Args[0], "-test.run=^"+name+"$", "-test.v")
	cmd.Env = append(os.Environ(), Variable+"="+value)
	return cmd.CombinedOutput()
}

// underFilter reports whether the test runs under the filter. If not, it runs it there.
func underFilter(t *testing.T) bool {
	t.Helper()
	if Inside() {
		return true
	}
	out, err := runTest(t.Name(), wanted)
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("under the filter: got %v, want a test that passes\n%s", err, out)
	}
	return false
}

func newSocket(t *testing.T, family, kind int) int {
	t.Helper()
	fd, err := unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func TestAnswers(t *testing.T) {
	if !underFilter(t) {
		return
	}
	tcp := newSocket(t, unix.AF_INET, unix.SOCK_STREAM)
	udp := newSocket(t, unix.AF_INET, unix.SOCK_DGRAM)
	udp6 := newSocket(t, unix.AF_INET6, unix.SOCK_DGRAM)
	loopback := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 9}
	epoll, err := unix.EpollCreate1(0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(epoll)
	for _, c := range []struct {
		name string
		call func() error
		want error
	}{
		{"pread", func() error { _, err := unix.Pread(tcp, make([]byte, 1), 0); return err },
			unix.ESPIPE},
		{"preadv", func() error {
			_, err := unix.Preadv(tcp, [][]byte{make([]byte, 1)}, 0)
			return err
		}, unix.ENOSYS},
		{"openat2", func() error {
			_, err := unix.Openat2(unix.AT_FDCWD, "/", &unix.OpenHow{})
			return err
		}, unix.ENOSYS},
		{"netlink", func() error {
			_, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, 0)
			return err
		}, unix.EAFNOSUPPORT},
		{"nodelay", func() error {
			return unix.SetsockoptInt(tcp, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		}, nil},
		{"TTL", func() error {
			return unix.SetsockoptInt(tcp, unix.IPPROTO_IP, unix.IP_TTL, 1)
		}, unix.ENOPROTOOPT},
		{"quick ack", func() error {
			_, err := unix.GetsockoptInt(tcp, unix.IPPROTO_TCP, unix.TCP_QUICKACK)
			return err
		}, unix.ENOPROTOOPT},
		{"socket in epoll", func() error {
			return unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, udp, &unix.EpollEvent{})
		}, nil},
		{"epoll in epoll", func() error {
			other, err := unix.EpollCreate1(0)
			if err != nil {
				return err
			}
			defer unix.Close(other)
			return unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, other, &unix.EpollEvent{})
		}, unix.EINVAL},
		{"recv", func() error {
			_, _, err := unix.Recvfrom(udp, make([]byte, 1), 0)
			return err
		}, unix.EAGAIN},
		{"peek of a datagram", func() error {
			_, _, err := unix.Recvfrom(udp, make([]byte, 1), unix.MSG_PEEK)
			return err
		}, unix.EOPNOTSUPP},
		{"peek of a stream", func() error {
			_, _, err := unix.Recvfrom(tcp, make([]byte, 1), unix.MSG_PEEK)
			return err
		}, unix.ENOTCONN},
		{"IPv4 from IPv6", func() error { return unix.Sendto(udp6, nil, 0, loopback) },
			unix.EAFNOSUPPORT},
		{"IPv4 from IPv4", func() error { return unix.Sendto(udp, nil, 0, loopback) }, nil},
		{"listen unbound", func() error { return unix.Listen(tcp, 1) }, unix.EINVAL},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.call(); err != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestAnswersOfStates looks at answers that depend on a socket's state.
func TestAnswersOfStates(t *testing.T) {
	if !underFilter(t) {
		return
	}
	tcp := newSocket(t, unix.AF_INET, unix.SOCK_STREAM)
	if name, err := unix.Getsockname(tcp); err != unix.EAFNOSUPPORT {
		t.Errorf("getsockname of an unbound socket: got %v, %v; want EAFNOSUPPORT", name, err)
	}
	refusing := newSocket(t, unix.AF_INET, unix.SOCK_STREAM)
	if err := unix.Bind(refusing, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	to, err := unix.Getsockname(refusing)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(tcp, to); err != unix.EINPROGRESS {
		t.Fatalf("connect: got %v, want EINPROGRESS", err)
	}
	unix.Poll([]unix.PollFd{{Fd: int32(tcp), Events: unix.POLLOUT}}, -1)
	if err := unix.Connect(tcp, to); err != unix.EALREADY {
		t.Errorf("connect after a failure: got %v, want EALREADY", err)
	}
	for range 2 {
		if n, err := unix.GetsockoptInt(tcp, unix.SOL_SOCKET, unix.SO_ERROR); err != nil ||
			unix.Errno(n) != unix.ECONNREFUSED {
			t.Errorf("SO_ERROR: got %v, %v; want ECONNREFUSED each time", unix.Errno(n), err)
		}
	}
}
