package abi_test

import (
	"context"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"github.com/tetratelabs/wazero"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/wasport/wasport/internal/system"
	"github.com/wasport/wasport/internal/testutil"
	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/guard"
	"github.com/wasport/wasport/network/kernel"
)

// namesNet has names with addresses of others, and refuses connects.
type namesNet struct{ network.Network }

func (namesNet) LookupAddrs(_ context.Context, f network.Family, name string) ([]netip.Addr,
	error) {
	if name == "name.test" && f == network.IPv4 {
		return []netip.Addr{netip.MustParseAddr("93.184.216.34"),
			netip.MustParseAddr("10.0.0.1")}, nil
	}
	return nil, &network.LookupError{Name: name, Failure: network.NoSuchHost}
}

func (namesNet) LookupRecords(_ context.Context, _ string, typ uint16) ([]byte, error) {
	if typ == uint16(dnsmessage.TypeMX) {
		return slices.Repeat([]byte{7}, 100), nil
	}
	return nil, syscall.EOPNOTSUPP
}

func (n namesNet) Open(f network.Family, t network.Type) (network.Socket, error) {
	s, err := n.Network.Open(f, t)
	return refusing{s}, err
}

type refusing struct{ network.Socket }

func (refusing) Connect(netip.AddrPort) error { return syscall.ECONNREFUSED }

func newNamesCaller(t *testing.T, rules ...string) *caller {
	t.Helper()
	base := namesNet{kernel.New(kernel.Config{})}
	return newCallerOn(t, wazero.NewRuntimeConfigInterpreter(), system.Config{
		Network: guard.New(base, testutil.Policy(t, rules...), guard.Options{})})
}

// records calls sock_resolve_records with size bytes for the reply at out.
func (c *caller) records(name string, typ dnsmessage.Type, size uint64) wasi.Errno {
	copy(c.memory()[path:], name+"\x00")
	return c.call("sock_resolve_records", path, uint64(typ), out, size, out2+1024)
}

// TestAddressRecordsAreLookups asks for the records of addresses, which the policy judges as those
// of sock_addr_resolve: only then may the guest connect to them.
func TestAddressRecordsAreLookups(t *testing.T) {
	c := newNamesCaller(t, "allow connect tcp://name.test:80")
	connect := func() wasi.Errno {
		return c.call("sock_connect", c.open(0, stream),
			c.putAddr(netip.MustParseAddrPort("93.184.216.34:80")))
	}
	if e := connect(); e != wasi.EACCES {
		t.Errorf("before the lookup: got %v, want %v", e, wasi.EACCES)
	}
	if e := c.records("Name.test", dnsmessage.TypeA, 512); e != wasi.Success {
		t.Fatalf("got %v, want a reply", e)
	}
	var m dnsmessage.Message
	if err := m.Unpack(c.memory()[out:][:c.u32(out2+1024)]); err != nil {
		t.Fatal(err)
	}
	if len(m.Answers) != 1 || !m.Response ||
		m.Answers[0].Body.(*dnsmessage.AResource).A != [4]byte{93, 184, 216, 34} {
		t.Errorf("got %v, want the address alone that is public", m.GoString())
	}
	if e := connect(); e != wasi.ECONNREFUSED {
		t.Errorf("after the lookup: got %v, want %v", e, wasi.ECONNREFUSED)
	}
	if e := c.records("name.test", dnsmessage.TypeAAAA, 512); e != wasi.Success {
		t.Fatalf("got %v, want a reply", e)
	}
	if err := m.Unpack(c.memory()[out:][:c.u32(out2+1024)]); err != nil ||
		len(m.Answers) != 0 || m.RCode != dnsmessage.RCodeSuccess {
		t.Errorf("got %v, %v, want no answers for a family without addresses", m.GoString(), err)
	}
}

func TestResolveRecords(t *testing.T) {
	c := newNamesCaller(t, "allow resolve name.test")
	for _, row := range []struct {
		name string
		typ  dnsmessage.Type
		size uint64
		want wasi.Errno
	}{
		{"name.test", dnsmessage.TypeMX, 512, wasi.Success},
		{"name.test", dnsmessage.TypeMX, 10, wasi.Success},
		{"other.test", dnsmessage.TypeMX, 512, wasi.EACCES},
		{"other.test", dnsmessage.TypeA, 512, wasi.EACCES},
		{"name.test", dnsmessage.TypeALL, 512, wasi.ENOTSUP},
		{"a b", dnsmessage.TypeMX, 512, wasi.EINVAL},
	} {
		clear(c.memory()[out:][:512])
		e := c.records(row.name, row.typ, row.size)
		if e != row.want {
			t.Errorf("%v of %s: got %v, want %v", row.typ, row.name, e, row.want)
		}
		if e != wasi.Success {
			continue
		}
		room := int(row.size)
		if got := c.u32(out2 + 1024); got != 100 || c.memory()[out] != 7 ||
			room < 100 && c.memory()[out+room] != 0 {
			t.Errorf("%d bytes: got %d, %x, want as many as fit, and the number of all", room,
				got, c.memory()[out:][:110])
		}
	}
	copy(c.memory()[path:], "name.test\x00")
	if e := c.call("sock_resolve_records", path, 1<<16, out, 512, out2+1024); e != wasi.EINVAL {
		t.Errorf("a type beyond 16 bits: got %v, want %v", e, wasi.EINVAL)
	}
	// Wine does not tell that nobody has the server's port.
	c = newNetCaller(t)
	e := c.records("allowed.test", dnsmessage.TypeMX, 512)
	if e != wasi.EAGAIN && e != wasi.ETIMEDOUT {
		t.Errorf("without a server: got %v, want %v or %v", e, wasi.EAGAIN, wasi.ETIMEDOUT)
	}
}
