package wasi

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// TestAddrLayout compares the layout with bytes that WAMR's guests write.
func TestAddrLayout(t *testing.T) {
	for addr, octets := range map[string]string{
		"127.0.0.1:1234": "00000000 7f000001 d204 " +
			"00000000000000000000000000000000",
		"[2001:db8::8]:1234": "01000000 0120 b80d 0000 0000 0000 0000 0000 0800 " +
			"d204 0000",
		"[::ffff:192.0.2.1]:65535": "01000000 0000 0000 0000 0000 0000 ffff 00c0 0102 " +
			"ffff 0000",
		"[1:203:405:607:809:a0b:c0d:e0f]:258": "01000000 0100 0302 0504 0706 0908 0b0a 0d0c 0f0e " +
			"0201 0000",
	} {
		want := unhex(octets)[:SizeAddr]
		a := netip.MustParseAddrPort(addr)
		got := bytes.Repeat([]byte{0xff}, SizeAddr)
		PutAddr(got, a)
		if !bytes.Equal(got, want) {
			t.Errorf("PutAddr(%s): got % x, want % x", addr, got, want)
		}
		if back, e := GetAddr(want); e != Success || back != a {
			t.Errorf("GetAddr: got %v, %v, want %s", back, e, addr)
		}
	}
	if _, e := GetAddr(make([]byte, SizeAddr)); e != Success {
		t.Errorf("0.0.0.0:0: got %v, want success", e)
	}
	if _, e := GetAddr(append([]byte{2}, make([]byte, SizeAddr)...)); e != EPROTONOSUPPORT {
		t.Errorf("kind 2: got %v, want %v", e, EPROTONOSUPPORT)
	}
}

func TestStructureLayouts(t *testing.T) {
	var b [SizeFilestat]byte
	fill := func() []byte {
		for i := range b {
			b[i] = 0xee
		}
		return b[:]
	}
	check := func(name string, got []byte, want string) {
		t.Helper()
		if !bytes.Equal(got, unhex(want)) {
			t.Errorf("%s: got % x, want %s", name, got, want)
		}
	}
	Fdstat{Type: FiletypeSocketStream, Flags: FdflagNonblock, Base: RightsSocket,
		Inheriting: RightsAll}.Put(fill())
	check("fdstat", b[:SizeFdstat], "06 00 0400 00000000 4a002 0f83f000000 ffffffff3f000000")
	Filestat{Dev: 1, Ino: 2, Type: FiletypeRegularFile, Nlink: 3, Size: 4, Atim: 5, Mtim: 6,
		Ctim: 7}.Put(fill())
	check("filestat", b[:], "0100000000000000 0200000000000000 0400000000000000 0300000000000000 "+
		"0400000000000000 0500000000000000 0600000000000000 0700000000000000")
	Event{Userdata: 1, Error: EBADF, Type: EventFdWrite, Nbytes: 5, Flags: EventHangup}.Put(fill())
	check("event", b[:SizeEvent],
		"0100000000000000 0800 02 0000000000 0500000000000000 0100 000000000000")
	PutDirent(fill(), 9, 8, 3, FiletypeDirectory)
	check("dirent", b[:SizeDirent], "0900000000000000 0800000000000000 03000000 03000000")
	var info [SizeAddrInfo]byte
	PutAddrInfo(info[:], netip.MustParseAddrPort("127.0.0.1:80"), SocketTypeStream)
	check("addr_info", info[:], "00000000 7f000001 5000 00000000000000000000000000 00 01000000")

	sub := unhex("0700000000000000 00 00000000000000 01000000 00000000 00ca9a3b00000000 " +
		"0000000000000000 0100 000000000000")
	if s := GetSubscription(sub); s != (Subscription{Userdata: 7, Clock: ClockMonotonic, FD: 1,
		Timeout: 1e9, Flags: SubclockAbstime}) {
		t.Errorf("subscription: got %+v, want clock 1, 1s, absolute", s)
	}
	hints := unhex("ffffffff 02000000 01 ccdd ee")
	if h := GetAddrHints(hints); h != (AddrHints{Type: SocketTypeAny, Family: AddressFamilyUnspec,
		Enabled: true}) {
		t.Errorf("hints: got %+v, want any type, any family, enabled", h)
	}
}

func TestRightsOfSocketEqualWAMR(t *testing.T) {
	if RightsSocket != 0x3ff820004a || RightsAll != 0x3fffffffff {
		t.Errorf("got %#x, %#x, want 0x3ff820004a, 0x3fffffffff", RightsSocket, RightsAll)
	}
}

// FuzzMemory checks that no range outside of the memory is granted.
func FuzzMemory(f *testing.F) {
	f.Add([]byte("\x08\x00\x00\x00\x02\x00\x00\x00xy"), uint32(0), uint32(1))
	f.Add([]byte("name\x00"), uint32(4), uint32(1<<31))
	f.Add([]byte{}, uint32(1<<32-1), uint32(1<<32-1))
	f.Fuzz(func(t *testing.T, mem []byte, ptr, n uint32) {
		m := MemoryView(mem)
		if b, e := m.Slice(ptr, n); e == Success && (len(b) != int(n) || cap(b) != int(n)) {
			t.Errorf("Slice: got %d bytes, want %d", len(b), n)
		}
		bufs, total, e := m.Vectors(nil, ptr, n)
		sum := 0
		for _, b := range bufs {
			sum += len(b)
		}
		if e == Success && sum != total {
			t.Errorf("Vectors: got %d bytes, want %d", sum, total)
		}
		if s, e := m.CString(ptr, n); e == Success && strings.IndexByte(s, 0) >= 0 {
			t.Errorf("CString: got %q, want no NUL in it", s)
		}
		m.PutUint8(ptr, 1)
		m.PutUint16(ptr, 1)
		m.PutUint32(ptr, 1)
		m.PutUint64(ptr, 1)
		m.Uint32(ptr)
	})
}

// TestVectorsHaveBoundedTotal lists the same 2 MiB again and again, up to 2 GiB, which an int of 32
// bits cannot count.
func TestVectorsHaveBoundedTotal(t *testing.T) {
	const size, list = 2 << 20, 8 << 10
	m := make(MemoryView, size)
	for at := 0; at < 8*MaxVectors; at += 8 {
		m.PutUint32(uint32(list+at+4), size)
	}
	for _, test := range []struct {
		count uint32
		total int
		errno Errno
	}{
		{MaxVectors - 1, size * (MaxVectors - 1), Success},
		{MaxVectors, 0, EINVAL},
	} {
		bufs, total, e := m.Vectors(nil, list, test.count)
		if total != test.total || e != test.errno {
			t.Errorf("%d iovecs: got %d buffers of %d bytes, %v, want %d bytes, %v", test.count,
				len(bufs), total, e, test.total, test.errno)
		}
	}
}
