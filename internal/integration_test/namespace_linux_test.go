package integration_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"
	"unsafe"

	"github.com/wasport/wasport/internal/testutil"

	"golang.org/x/sys/unix"
)

// The addresses of the network that tests have to themselves. All of them are this host's.
const (
	lan4    = "10.99.0.1" // in a network of which each address is the host's, as with loopback
	lan6    = "fd00:99::1"
	public4 = "93.184.216.34" // a public one
)

// inNamespace runs a test in a network namespace of its own, in which the host has the addresses
// above.
func inNamespace(t *testing.T, test func(*testing.T)) {
	testutil.InNamespaces(t, unix.CLONE_NEWNET, nil, func(t *testing.T) {
		addAddrs(t)
		test(t)
	})
}

// addAddrs gives the loopback interface all addresses.
func addAddrs(t *testing.T) {
	t.Helper()
	four, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	fatalOnError(t, err)
	defer unix.Close(four)
	change := func(name string, command uint, set func(*unix.Ifreq)) {
		t.Helper()
		r, err := unix.NewIfreq(name)
		fatalOnError(t, err)
		set(r)
		fatalOnError(t, unix.IoctlIfreq(four, command, r))
	}
	change("lo", unix.SIOCSIFFLAGS, func(r *unix.Ifreq) { r.SetUint16(unix.IFF_UP) })
	for name, prefix := range map[string]string{"lo:1": lan4 + "/24", "lo:2": public4 + "/32"} {
		p := netip.MustParsePrefix(prefix)
		mask := binary.BigEndian.AppendUint32(nil, ^uint32(0)<<(32-p.Bits()))
		to := func(b []byte) func(*unix.Ifreq) {
			return func(r *unix.Ifreq) { fatalOnError(t, r.SetInet4Addr(b)) }
		}
		change(name, unix.SIOCSIFADDR, to(p.Addr().AsSlice()))
		change(name, unix.SIOCSIFNETMASK, to(mask))
	}
	six, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Skip("this host has no IPv6")
	}
	defer unix.Close(six)
	in6 := struct { // struct in6_ifreq of linux/ipv6.h
		addr   [16]byte
		prefix uint32
		index  int32
	}{netip.MustParseAddr(lan6).As16(), 64, 1}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(six), unix.SIOCSIFADDR,
		uintptr(unsafe.Pointer(&in6)))
	if errno != 0 {
		t.Fatal(errno)
	}
	// The kernel makes up its mind about the address a little later.
	for deadline := time.Now().Add(testTimeout); ; time.Sleep(time.Millisecond) {
		l, err := net.Listen("tcp", net.JoinHostPort(lan6, "0"))
		if err == nil {
			l.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func fatalOnError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
