package integration_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/abi"
	"github.com/wasport/wasport/internal/testutil"
)

// importCall is a call of an imported function with raw arguments.
type importCall struct {
	module   string
	function *abi.Function
	args     []uint64
}

// preview1Call is a call of a function of WASI preview 1.
func preview1Call(name string, args ...uint64) importCall {
	const module = "wasi_snapshot_preview1"
	all := abi.Overloads(module, name)
	i := slices.IndexFunc(all, func(f *abi.Function) bool { return len(f.Params) == len(args) })
	return importCall{module, all[i], args}
}

// loopModule assembles a module that makes some calls once, and then others for ever.
func loopModule(first, forever []importCall, memory map[uint32][]byte) []byte {
	uleb := func(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }
	vector := func(b []byte) []byte { return append(uleb(len(b)), b...) }
	constant := func(op byte, v int64) []byte { // signed LEB128
		b := []byte{op}
		for {
			low := byte(v & 0x7f)
			v >>= 7
			if v == 0 && low&0x40 == 0 || v == -1 && low&0x40 != 0 {
				return append(b, low)
			}
			b = append(b, low|0x80)
		}
	}
	types := []byte{0x60, 0, 0} // () -> (), of _start
	var imports, body []byte
	count := 0
	add := func(c importCall) {
		valtypes := strings.NewReplacer("i", "\x7f", "I", "\x7e")
		types = append(types, 0x60)
		types = append(types, vector([]byte(valtypes.Replace(c.function.Params)))...)
		types = append(types, vector([]byte(valtypes.Replace(c.function.Results)))...)
		imports = append(imports, vector([]byte(c.module))...)
		imports = append(imports, vector([]byte(c.function.Name))...)
		imports = append(append(imports, 0), uleb(count+1)...)
		for i, p := range c.function.Params {
			if p == 'i' {
				body = append(body, constant(0x41, int64(int32(c.args[i])))...)
			} else {
				body = append(body, constant(0x42, int64(c.args[i]))...)
			}
		}
		body = append(append(body, 0x10), uleb(count)...)
		if c.function.Results != "" {
			body = append(body, 0x1a) // drop
		}
		count++
	}
	for _, c := range first {
		add(c)
	}
	body = append(body, 0x03, 0x40) // loop
	for _, c := range forever {
		add(c)
	}
	body = append(body, 0x0c, 0, 0x0b, 0x0b) // br 0, end, end

	exports := append(vector([]byte("_start")), 0)
	exports = append(exports, uleb(count)...)
	exports = append(append(exports, vector([]byte("memory"))...), 2, 0)
	var data []byte
	for _, at := range slices.Sorted(maps.Keys(memory)) {
		data = append(append(data, 0), constant(0x41, int64(at))...)
		data = append(append(data, 0x0b), vector(memory[at])...)
	}
	code := vector(append([]byte{0}, body...))
	wasm := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range []struct {
		id      byte
		count   int
		content []byte
	}{
		{1, count + 1, types}, {2, count, imports}, {3, 1, []byte{0}},
		{5, 1, append([]byte{0}, uleb(1024)...)}, {7, 2, exports}, {10, 1, code},
		{11, len(memory), data},
	} {
		wasm = append(append(wasm, s.id), vector(append(uleb(s.count), s.content...))...)
	}
	return wasm
}

// What lies in the memory of the guests, and the descriptors that they have.
const (
	atFile, atMany, atNone, atName, atService = 64, 128, 192, 1024, 1100
	atAddress, atForeign, atDatagram, atLarge = 256, 288, 320, 328
	atOut, atTimers, atSockets, atShort       = 4096, 1 << 20, 2 << 20, 3 << 20
	atListener, atByte                        = 336, 352
	atBuffer, largeBuffer                     = 8 << 20, 32 << 20

	fdDir, fdListener, fdDatagram, fdFile, fdStream, fdAccepted, fdNext = 3, 4, 5, 6, 7, 8, 9
)

// wamrAddress is a wasi_addr_t of WAMR (wasi_socket_ext.h).
func wamrAddress(a [4]byte, port uint16) []byte {
	return append([]byte{0, 0, 0, 0, a[0], a[1], a[2], a[3]}, byte(port), byte(port>>8))
}

// callArguments returns the arguments for functions that work hard with the right ones, and the
// memory that those point to. All other functions are called on a socket, with small numbers.
func callArguments(port uint16) (map[string][][]uint64, map[uint32][]byte) {
	timers := make([]byte, 16384*48)
	for b := timers; len(b) > 0; b = b[48:] {
		binary.LittleEndian.PutUint32(b[16:], 1)
	}
	sockets := make([]byte, 4096*48)
	for i := range 4096 {
		b := sockets[i*48:]
		b[8] = byte(1 + i%2)
		binary.LittleEndian.PutUint32(b[16:], uint32(fdListener+i%2))
	}
	short := make([]byte, 48)
	binary.LittleEndian.PutUint32(short[16:], 1)
	binary.LittleEndian.PutUint64(short[24:], 1000)
	vector := func(at, size uint32) []byte {
		return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, at), size)
	}
	return map[string][][]uint64{
			"random_get": {{atBuffer, largeBuffer}, {atBuffer, 16}},
			"poll_oneoff": {{atTimers, atBuffer, 16384, atOut},
				{atSockets, atBuffer, 4096, atOut}, {atShort, atBuffer, 1, atOut}},
			"fd_read":              {{fdFile, atLarge, 1, atOut}, {0, atLarge, 1, atOut}},
			"fd_write":             {{1, atLarge, 1, atOut}},
			"fd_pread":             {{fdFile, atLarge, 1, 0, atOut}},
			"fd_pwrite":            {{fdFile, atLarge, 1, 0, atOut}},
			"fd_readdir":           {{fdDir, atBuffer, 1 << 16, 0, atOut}},
			"fd_filestat_get":      {{fdFile, atOut}, {fdDatagram, atOut}},
			"fd_filestat_set_size": {{fdFile, 1 << 20}},
			"fd_allocate":          {{fdFile, 0, 1 << 20}},
			"fd_seek":              {{fdFile, 0, 0, atOut}},
			"path_open": {{fdDir, 0, atNone, 4, 0, 0, 0, 0, atOut},
				{fdDir, 0, atFile, 4, 0, 0, 0, 0, atOut}},
			"path_filestat_get": {{fdDir, 0, atFile, 4, atOut},
				{fdDir, 0, atMany, 512, atOut}},
			"path_create_directory": {{fdDir, atFile, 4}},
			"path_rename":           {{fdDir, atFile, 4, fdDir, atFile, 4}},
			"path_symlink":          {{atFile, 4, fdDir, atFile, 4}},
			"sock_open":             {{0, 1, 2, atOut}},
			"sock_accept":           {{fdListener, 0, atOut}},
			"sock_recv": {{fdDatagram, atLarge, 1, 0, atOut, atOut + 8},
				{fdStream, atLarge, 1, 0, atOut, atOut + 8}},
			"sock_send": {{fdDatagram, atDatagram, 1, 0, atOut}},
			"sock_send_to": {{fdDatagram, atDatagram, 1, 0, atAddress, atOut},
				{fdDatagram, atDatagram, 1, 0, atForeign, atOut}},
			"sock_bind":              {{fdStream, atForeign}},
			"sock_connect":           {{fdStream, atForeign}, {fdStream, atAddress}},
			"sock_addr_resolve":      {{atName, atService, atOut, atOut + 64, 4, atOut + 512}},
			"sock_interfaces":        {{atBuffer, 64, atOut}},
			"sock_resolve_records":   {{atName, 15, atBuffer, 512, atOut}},
			"fd_prestat_dir_name":    {{fdDir, atOut, 512}},
			"fd_fdstat_set_flags":    {{fdDatagram, 4}},
			"clock_time_get":         {{0, 1, atOut}, {2, 1, atOut}, {3, 1, atOut}},
			"sock_set_recv_timeout":  {{fdDatagram, 1000}},
			"sock_set_recv_buf_size": {{fdDatagram, 4096}},
		}, map[uint32][]byte{
			atFile: []byte("file"), atNone: []byte("none"),
			atMany: []byte(strings.Repeat("many/../", 64)),
			atName: []byte("denied.test\x00"), atService: []byte("80\x00"),
			atAddress:  wamrAddress([4]byte{127, 0, 0, 1}, port),
			atForeign:  wamrAddress([4]byte{192, 0, 2, 1}, 9),
			atDatagram: vector(atBuffer, 60000), atByte: vector(atBuffer, 1),
			atLarge:  vector(atBuffer, largeBuffer),
			atTimers: timers, atSockets: sockets, atShort: short,
		}
}

// allCalls lists each imported function with each of its arguments.
func allCalls(special map[string][][]uint64) (list []importCall) {
	for module, functions := range abi.Functions() {
		if module == "wasi_unstable" { // the same functions
			continue
		}
		for _, f := range functions {
			if f.Name == "proc_exit" { // cannot be called in a loop
				continue
			}
			all := special[f.Name]
			if all == nil || len(all[0]) != len(f.Params) {
				args := []uint64{fdDatagram, atOut, atOut + 512, 8, 8, 8, 8, 8, 8, 8, 8, 8}
				all = [][]uint64{args[:len(f.Params)]}
			}
			for _, args := range all {
				list = append(list, importCall{module, f, args})
			}
		}
	}
	return list
}

// busyGuest is what guests have that make calls for ever: descriptors, memory, and calls that make
// more descriptors.
type busyGuest struct {
	config  wasport.Config
	special map[string][][]uint64
	memory  map[uint32][]byte
	first   []importCall
}

func newBusyGuest(t *testing.T) *busyGuest {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	datagram, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { datagram.Close() })
	dir := t.TempDir()
	file := make([]byte, largeBuffer)
	if err := os.WriteFile(filepath.Join(dir, "file"), file, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "many"), 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o666)
	}
	special, memory := callArguments(uint16(datagram.LocalAddr().(*net.UDPAddr).Port))
	memory[atListener] = wamrAddress([4]byte{127, 0, 0, 1},
		uint16(listener.Addr().(*net.TCPAddr).Port))
	return &busyGuest{
		special: special, memory: memory,
		first: []importCall{
			preview1Call("path_open", fdDir, 0, atFile, 4, 0, 1<<29-1, 0, 0, atOut),
			preview1Call("sock_open", 0, 0, 1, atOut),
			preview1Call("fd_fdstat_set_flags", fdStream, 4),
			preview1Call("sock_set_recv_timeout", fdDatagram, 1000),
		},
		config: wasport.Config{
			Policy:         testutil.Policy(t, "allow connect loopback", "allow listen loopback"),
			MaxDescriptors: 64, Dirs: []wasport.Dir{{Host: dir}}, MaxCPU: 200 * time.Millisecond,
			Sockets: []syscall.Conn{listener.(*net.TCPListener), datagram.(*net.UDPConn)},
		},
	}
}

// checkLoop runs a guest that repeats calls for ever.
func (g *busyGuest) checkLoop(t *testing.T, forever ...importCall) {
	m := compileModule(t, loopModule(g.first, forever, g.memory))
	checkProcessorLimit(t, m, g.config)
}

// TestMaxCPUInEveryHostCall runs guests that each repeat one host call for ever. None may take more
// than maxProcessorRatio times its limit, with the kernel's and the Go runtime's share.
func TestMaxCPUInEveryHostCall(t *testing.T) {
	g := newBusyGuest(t)
	for _, call := range allCalls(g.special) {
		t.Run(fmt.Sprint(call.function.Name, call.args), func(t *testing.T) {
			g.checkLoop(t, call)
		})
	}
}

// TestMaxCPUOfTrafficWithItself runs guests that send to their own sockets for ever. Each arrival
// may wake a thread of the Go runtime that waits for the network.
func TestMaxCPUOfTrafficWithItself(t *testing.T) {
	g := newBusyGuest(t)
	g.first = append(g.first, preview1Call("sock_connect", fdStream, atListener),
		preview1Call("sock_accept", fdListener, 4, atOut),
		preview1Call("fd_fdstat_set_flags", fdDatagram, 4))
	transfer := func(name string, fd, at uint64) importCall {
		if name == "sock_recv" {
			return preview1Call(name, fd, at, 1, 0, atOut, atOut+8)
		}
		return preview1Call(name, fd, at, 1, 0, atOut)
	}
	// A socket that has waited is registered with Go's poller.
	wait := []importCall{
		preview1Call("fd_fdstat_set_flags", fdStream, 0),
		preview1Call("fd_fdstat_set_flags", fdAccepted, 0),
		preview1Call("sock_set_recv_timeout", fdStream, 1000),
		preview1Call("sock_set_recv_timeout", fdAccepted, 1000),
		transfer("sock_recv", fdStream, atByte),
		transfer("sock_recv", fdAccepted, atByte),
	}
	sendTo := func(at uint64) importCall {
		return preview1Call("sock_send_to", fdDatagram, at, 1, 0, atAddress, atOut)
	}
	for _, test := range []struct {
		name  string
		calls []importCall
	}{
		{"datagram of 1 byte", []importCall{sendTo(atByte)}},
		{"datagram of 1 byte, received", []importCall{sendTo(atByte),
			transfer("sock_recv", fdDatagram, atLarge)}},
		{"datagram, received", []importCall{sendTo(atDatagram),
			transfer("sock_recv", fdDatagram, atLarge)}},
		{"connections", []importCall{preview1Call("sock_open", 0, 0, 1, atOut),
			preview1Call("sock_connect", fdNext, atListener),
			preview1Call("sock_accept", fdListener, 4, atOut),
			preview1Call("fd_close", fdNext), preview1Call("fd_close", fdNext+1)}},
		{"stream of 1 byte", []importCall{transfer("sock_send", fdStream, atByte),
			transfer("sock_recv", fdAccepted, atByte)}},
		{"stream", []importCall{transfer("sock_send", fdStream, atDatagram),
			transfer("sock_recv", fdAccepted, atLarge)}},
		{"stream both ways", []importCall{transfer("sock_send", fdStream, atByte),
			transfer("sock_recv", fdAccepted, atByte), transfer("sock_send", fdAccepted, atByte),
			transfer("sock_recv", fdStream, atByte)}},
	} {
		t.Run(test.name, func(t *testing.T) { g.checkLoop(t, test.calls...) })
		if strings.HasPrefix(test.name, "stream") {
			waited := *g
			waited.first = append(slices.Clone(g.first), wait...)
			t.Run(test.name+", after a wait", func(t *testing.T) {
				waited.checkLoop(t, test.calls...)
			})
		}
	}
}

// TestMaxCPUOfHostileThreads lets a guest compute in many threads, start threads for ever, and
// wait for moments.
func TestMaxCPUOfHostileThreads(t *testing.T) {
	m := compileTestdata(t, "hostile")
	for _, function := range []string{"one", "many", "spawn", "wait", "notify"} {
		t.Run(function, func(t *testing.T) {
			checkProcessorLimit(t, m,
				wasport.Config{Function: function, MaxCPU: 200 * time.Millisecond})
		})
	}
}

// maxProcessorRatio bounds the processor time of a guest as a multiple of its limit.
const maxProcessorRatio = 1.2

// checkProcessorLimit runs a guest that never ends, and compares the processor time of this process
// with the guest's limit.
func checkProcessorLimit(t *testing.T, m *wasport.Module, c wasport.Config) {
	t.Helper()
	const attempts = 6
	var ratios []float64
	for range attempts {
		ctx, cancel := context.WithTimeout(context.Background(), 20*c.MaxCPU)
		before := testutil.ProcessorTime(t)
		_, err := m.Run(ctx, c)
		took := testutil.ProcessorTime(t) - before
		cancel()
		if !errors.Is(err, wasport.ErrCPU) && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("the guest ended with %v, want %v", err, wasport.ErrCPU)
		}
		ratios = append(ratios, float64(took)/float64(c.MaxCPU))
		if ratios[len(ratios)-1] <= maxProcessorRatio {
			break
		}
	}
	t.Logf("took %.2f of the limit", ratios)
	if canMeasure && slices.Min(ratios) > maxProcessorRatio {
		t.Errorf("took %.2f times the limit, want at most %.1f", ratios, maxProcessorRatio)
	}
}
