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

// loopModule assembles a module that makes some calls once, and then one for ever.
func loopModule(first []importCall, forever importCall, memory map[uint32][]byte) []byte {
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
	add(forever)
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
	atBuffer, largeBuffer                     = 8 << 20, 32 << 20

	fdDir, fdListener, fdDatagram, fdFile, fdStream = 3, 4, 5, 6, 7
)

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
	address := func(a [4]byte, port uint16) []byte { // wasi_addr_t of WAMR
		return append([]byte{0, 0, 0, 0, a[0], a[1], a[2], a[3]}, byte(port), byte(port>>8))
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
			"fd_prestat_dir_name":    {{fdDir, atOut, 512}},
			"fd_fdstat_set_flags":    {{fdDatagram, 4}},
			"clock_time_get":         {{0, 1, atOut}, {2, 1, atOut}, {3, 1, atOut}},
			"sock_set_recv_timeout":  {{fdDatagram, 1000}},
			"sock_set_recv_buf_size": {{fdDatagram, 4096}},
		}, map[uint32][]byte{
			atFile: []byte("file"), atNone: []byte("none"),
			atMany: []byte(strings.Repeat("many/../", 64)),
			atName: []byte("denied.test\x00"), atService: []byte("80\x00"),
			atAddress:  address([4]byte{127, 0, 0, 1}, port),
			atForeign:  address([4]byte{192, 0, 2, 1}, 9),
			atDatagram: vector(atBuffer, 60000), atLarge: vector(atBuffer, largeBuffer),
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

// TestMaxCPUInEveryHostCall runs guests that each repeat one host call for ever. None may take more
// than maxProcessorRatio times its limit, with the kernel's and the Go runtime's share.
func TestMaxCPUInEveryHostCall(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	datagram, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer datagram.Close()
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
	first := []importCall{
		preview1Call("path_open", fdDir, 0, atFile, 4, 0, 1<<29-1, 0, 0, atOut),
		preview1Call("sock_open", 0, 0, 1, atOut),
		preview1Call("fd_fdstat_set_flags", fdStream, 4),
		preview1Call("sock_set_recv_timeout", fdDatagram, 1000),
	}
	c := wasport.Config{
		Policy: testutil.Policy(t, "allow connect loopback",
			"allow listen loopback"), MaxDescriptors: 64,
		Dirs: []wasport.Dir{{Host: dir}}, MaxCPU: 200 * time.Millisecond,
		Sockets: []syscall.Conn{listener.(*net.TCPListener), datagram.(*net.UDPConn)},
	}
	for _, call := range allCalls(special) {
		t.Run(fmt.Sprint(call.function.Name, call.args), func(t *testing.T) {
			wasm := loopModule(first, call, memory)
			m, err := shared.runtime.Compile(context.Background(), wasm, wasport.CompileConfig{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close(context.Background())
			checkProcessorLimit(t, m, c, maxProcessorRatio(call.function.Name))
		})
	}
}

// TestMaxCPUOfHostileThreads lets a guest compute in many threads, start threads for ever, and
// wait for moments.
func TestMaxCPUOfHostileThreads(t *testing.T) {
	m := compileTestdata(t, "hostile")
	for _, function := range []string{"one", "many", "spawn", "wait", "notify"} {
		t.Run(function, func(t *testing.T) {
			checkProcessorLimit(t, m,
				wasport.Config{Function: function, MaxCPU: 200 * time.Millisecond},
				maxProcessorRatio(""))
		})
	}
}

// undercharged are the calls that take up to 1.35 times the limit: the thread's clock does not see
// all of the kernel's work for them. All calls did so in the interpreter on a busy machine.
var undercharged = []string{"fd_write", "sock_send_to", "sock_interfaces"}

// maxProcessorRatio bounds the processor time of a guest as a multiple of its limit.
func maxProcessorRatio(call string) float64 {
	if slices.Contains(undercharged, call) || os.Getenv("WASPORT_INTERPRETER") != "" {
		return 1.5
	}
	return 1.2
}

// checkProcessorLimit runs a guest that never ends, and compares the processor time of this process
// with the guest's limit.
func checkProcessorLimit(t *testing.T, m *wasport.Module, c wasport.Config, maxRatio float64) {
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
		if ratios[len(ratios)-1] <= maxRatio {
			break
		}
	}
	t.Logf("took %.2f of the limit", ratios)
	if canMeasure && slices.Min(ratios) > maxRatio {
		t.Errorf("took %.2f times the limit, want at most %.1f", ratios, maxRatio)
	}
}
