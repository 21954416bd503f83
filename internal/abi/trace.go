package abi

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/wasport/wasport/internal/wasi"
)

// tracer prints calls in the format of strace(1):
//
//	sock_connect(3, 127.0.0.1:8080) = 0 <0.000081>
//	sock_recv(3, ["hello\n"], 1, 0x0, 6, 0) = 0 <0.000004>
//
// Instead of a pointer it prints the value that the pointer refers to: before the call if the guest
// passes the value, after the call if the call returns it. The letters of Function.args, where "-"
// stands for an argument that is printed with the one before it:
//
//	f	descriptor
//	d D	number of 32 and 64 bits
//	x	flags
//	p	pointer
//	a A	address, passed and returned
//	g	group, passed
//	w -	WasmEdge's address and port, passed
//	W	WasmEdge's address, returned
//	v -	iovecs and their number, to send
//	V -	iovecs and their number, to fill; the next "o" is the number of bytes
//	s -	string and its length
//	z	NUL-terminated string
//	b h o q	result of 8, 16, 32 and 64 bits
//	F -	pollfds and their number, passed and returned
//	P	subscriptions; the "d" after the next letter is their number
//	E	events; the "o" after the next letter is their number
type tracer struct {
	w    io.Writer
	line []byte
}

func (tr *tracer) call(f *Function, c *Caller, m wasi.MemoryView, stack []uint64) wasi.Errno {
	var args [9]uint64 // the result overwrites the first argument
	copy(args[:], stack[:len(f.args)])
	for i := range f.Params {
		if f.Params[i] == 'i' {
			args[i] = uint64(uint32(args[i])) // the engine leaves the upper half undefined
		}
	}
	before := time.Now()
	in := make([]string, len(f.args))
	for i := range f.args {
		in[i] = inputText(m, f.args[i], args[i:])
	}
	e := f.decode(c, m, stack)
	took := time.Since(before)

	tr.line = append(append(tr.line[:0], f.Name...), '(')
	comma := ""
	for i := range f.args {
		if f.args[i] == '-' {
			continue
		}
		s := in[i]
		if s == "" {
			s = outputText(m, f.args[i:], args[i:], e)
		}
		tr.line = append(append(tr.line, comma...), s...)
		comma = ", "
	}
	tr.line = append(tr.line, ") = "...)
	tr.line = strconv.AppendInt(tr.line, int64(e), 10)
	if e != wasi.Success {
		tr.line = append(append(tr.line, ' '), e.String()...)
	}
	tr.line = fmt.Appendf(tr.line, " <%.6f>\n", took.Seconds())
	// One Write a line. An error of the writer is no concern of the guest.
	tr.w.Write(tr.line)
	return e
}

// inputText formats an argument that the guest passes; "" if only the result fills it.
func inputText(m wasi.MemoryView, kind byte, a []uint64) string {
	switch kind {
	case 'f', 'd':
		return strconv.Itoa(int(int32(a[0])))
	case 'D':
		return strconv.FormatInt(int64(a[0]), 10)
	case 'x', 'p':
		return "0x" + strconv.FormatUint(a[0], 16)
	case 'a':
		if addr, e := getAddr(m, a[0]); e == wasi.Success {
			return addr.String()
		}
	case 'g':
		if b, e := m.Slice(uint32(a[0]), wasi.SizeAddrIP); e == wasi.Success {
			if ip, e := wasi.GetAddrIP(b); e == wasi.Success {
				return ip.String()
			}
		}
	case 'w':
		if addr, e := edgeAddr(m, a[0], a[1]); e == wasi.Success {
			return addr.String()
		}
	case 'z':
		if s, e := m.CString(uint32(a[0]), maxName); e == wasi.Success {
			return strconv.Quote(s)
		}
	case 's':
		if b, e := m.Slice(uint32(a[0]), uint32(a[1])); e == wasi.Success {
			return quoted(b, len(b))
		}
	case 'P':
		return subscriptionsText(m, uint32(a[0]), uint32(a[2]))
	case 'v':
		return vectorText(m, a[0], a[1], 1<<31-1)
	default:
		return ""
	}
	return fmt.Sprintf("%#x", a[0]) // an invalid pointer
}

// outputText formats an argument that the call has filled.
func outputText(m wasi.MemoryView, kinds string, a []uint64, e wasi.Errno) string {
	ptr := uint32(a[0])
	if e != wasi.Success {
		if strings.HasPrefix(kinds[1:], "-") {
			return unreadText(a[0], a[1])
		}
		return fmt.Sprintf("%#x", ptr)
	}
	if kinds[0] == 'E' {
		n, _ := m.Uint32(uint32(a[2]))
		return eventsText(m, ptr, n)
	}
	if kinds[0] == 'F' {
		return pollFDsText(m, ptr, uint32(a[1]))
	}
	if kinds[0] == 'W' {
		return edgeAddrText(m, ptr)
	}
	size := map[byte]uint32{'b': 1, 'h': 2, 'o': 4, 'q': 8, 'A': wasi.SizeAddr}[kinds[0]]
	if kinds[0] == 'V' {
		n := uint32(math.MaxInt32)
		for i := range kinds {
			if kinds[i] == 'o' {
				n, _ = m.Uint32(uint32(a[i]))
				break
			}
		}
		return vectorText(m, a[0], a[1], int(min(n, math.MaxInt32)))
	}
	b, fault := m.Slice(ptr, size)
	if fault != wasi.Success || ptr == 0 {
		return fmt.Sprintf("%#x", ptr)
	}
	if kinds[0] == 'A' {
		addr, _ := wasi.GetAddr(b)
		return addr.String()
	}
	var wide [8]byte
	copy(wide[:], b)
	return strconv.FormatUint(binary.LittleEndian.Uint64(wide[:]), 10)
}

// edgeAddrText formats the address in the buffer that a WasmEdge address argument describes.
func edgeAddrText(m wasi.MemoryView, ptr uint32) string {
	if b, e := edgeBuffer(m, uint64(ptr)); e == wasi.Success {
		if ip, e := wasi.GetEdgeIP(b); e == wasi.Success {
			return ip.String()
		}
	}
	return fmt.Sprintf("%#x", ptr)
}

// maxShownBytes is how many bytes of data a trace prints.
const maxShownBytes = 32

func quoted(b []byte, n int) string {
	if n > maxShownBytes {
		return strconv.Quote(string(b[:min(len(b), maxShownBytes)])) + "..."
	}
	return strconv.Quote(string(b[:n]))
}

// unreadText formats a list that no call has filled, or that cannot be read.
func unreadText(ptr, count uint64) string {
	return fmt.Sprintf("%#x, %d", uint32(ptr), uint32(count))
}

// vectorText formats the first n bytes of iovecs.
func vectorText(m wasi.MemoryView, ptr, count uint64, n int) string {
	bufs, total, e := m.Vectors(nil, uint32(ptr), uint32(count))
	if e != wasi.Success {
		return unreadText(ptr, count)
	}
	n = min(n, total)
	var b []byte
	for _, v := range bufs {
		b = append(b, v[:min(len(v), maxShownBytes-len(b))]...)
	}
	return "[" + quoted(b, n) + "], " + strconv.Itoa(int(uint32(count)))
}

// maxShownItems is how many subscriptions or events a trace prints.
const maxShownItems = 8

// eventNames are the names of event types. A guest's buffer may contain other types.
var eventNames = map[uint8]string{
	wasi.EventClock: "clock", wasi.EventFdRead: "read", wasi.EventFdWrite: "write",
	wasi.EventFdFail: "failure",
}

// subscriptionsText formats the subscriptions of poll_oneoff: "[fd 3 read, clock 1 +5ms]".
func subscriptionsText(m wasi.MemoryView, ptr, count uint32) string {
	return listText(m, ptr, count, wasi.SizeSubscription, func(b []byte) string {
		s := wasi.GetSubscription(b)
		switch s.Type {
		case wasi.EventClock:
			if s.Flags&wasi.SubclockAbstime != 0 {
				return fmt.Sprintf("clock %d at %dns", s.Clock, s.Timeout)
			}
			return fmt.Sprintf("clock %d +%v", s.Clock, time.Duration(s.Timeout))
		case wasi.EventFdRead, wasi.EventFdWrite, wasi.EventFdFail:
			return fmt.Sprintf("fd %d %s", s.FD, eventNames[s.Type])
		}
		return fmt.Sprintf("type %d", s.Type)
	})
}

// eventsText formats the events of poll_oneoff. It prints userdata, by which programs identify
// their subscriptions.
func eventsText(m wasi.MemoryView, ptr, count uint32) string {
	return listText(m, ptr, count, wasi.SizeEvent, func(b []byte) string {
		e := wasi.GetEvent(b)
		text := fmt.Sprintf("%#x %s", e.Userdata, eventNames[e.Type])
		if e.Nbytes > 0 {
			text += fmt.Sprintf(" %d bytes", e.Nbytes)
		}
		if e.Flags&wasi.EventHangup != 0 {
			text += " hangup"
		}
		if e.Error != wasi.Success {
			text += " " + e.Error.String()
		}
		return text
	})
}

// pollFDsText formats the pollfds of fd_poll: "[fd 3 0x1 = 0x0], 1".
func pollFDsText(m wasi.MemoryView, ptr, count uint32) string {
	return listText(m, ptr, count, sizePollFD, func(b []byte) string {
		return fmt.Sprintf("fd %d %#x = %#x", int32(binary.LittleEndian.Uint32(b)),
			binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:]))
	}) + ", " + strconv.Itoa(int(count))
}

func listText(m wasi.MemoryView, ptr, count, size uint32, text func([]byte) string) string {
	var parts []string
	for i := range min(count, maxShownItems) {
		b, e := m.Slice(ptr+i*size, size)
		if e != wasi.Success {
			return fmt.Sprintf("%#x", ptr)
		}
		parts = append(parts, text(b))
	}
	if count > maxShownItems {
		parts = append(parts, "...")
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
