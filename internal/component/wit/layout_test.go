package wit

import (
	"fmt"
	"strings"
	"testing"
)

// wasi has the types of WASI whose layouts are worth a check, and some for the rules alone.
const wasi = streams + `
	enum error-code { unknown, access-denied }
	type ipv4-address = tuple<u8, u8, u8, u8>;
	type ipv6-address = tuple<u16, u16, u16, u16, u16, u16, u16, u16>;
	variant ip-address { ipv4(ipv4-address), ipv6(ipv6-address) }
	record ipv4-socket-address { port: u16, address: ipv4-address }
	record ipv6-socket-address {
		port: u16, flow-info: u32, address: ipv6-address, scope-id: u32,
	}
	variant ip-socket-address { ipv4(ipv4-socket-address), ipv6(ipv6-socket-address) }
	record incoming-datagram { data: list<u8>, remote-address: ip-socket-address }
	record outgoing-datagram { data: list<u8>, remote-address: option<ip-socket-address> }
	enum descriptor-type { unknown, block-device, character-device, directory, fifo }
	record descriptor-stat {
		%type: descriptor-type, link-count: u64, size: u64, data-access: option<datetime>,
		data-modification: option<datetime>, status-change: option<datetime>,
	}
	variant new-timestamp { no-change, now, timestamp(datetime) }
	record directory-entry { %type: descriptor-type, name: string }
	record metadata-hash-value { lower: u64, upper: u64 }
	flags eight { a, b, c, d, e, f, g, h }
	flags nine { a, b, c, d, e, f, g, h, i }
	flags sixteen { a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p }
	flags seventeen { a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q }
	variant int-float { a(u32), b(f32) }
	variant float-double { a(f32), b(f64) }
	variant int-long { a(s8), b(s64) }
	variant long-float { a(u64), b(f32) }
	variant double-long { a(f64), b(u64) }
	variant pair-or-string { a(tuple<f32, f32>), b(string) }
	variant nested { a(int-float), b(float-double), c }
	record mixed { a: u8, b: u64, c: u8 }
	record tight { a: u64, b: u8, c: u8 }
`

var layouts = []struct {
	text        string
	size, align uint32
	flat        string
}{
	{"bool", 1, 1, "i32"},
	{"s8", 1, 1, "i32"},
	{"u8", 1, 1, "i32"},
	{"s16", 2, 2, "i32"},
	{"u16", 2, 2, "i32"},
	{"s32", 4, 4, "i32"},
	{"u32", 4, 4, "i32"},
	{"s64", 8, 8, "i64"},
	{"u64", 8, 8, "i64"},
	{"f32", 4, 4, "f32"},
	{"f64", 8, 8, "f64"},
	{"char", 4, 4, "i32"},
	{"string", 8, 4, "i32 i32"},
	{"list<u8>", 8, 4, "i32 i32"},
	{"list<u64>", 8, 4, "i32 i32"},
	{"own<error>", 4, 4, "i32"},
	{"borrow<input-stream>", 4, 4, "i32"},
	{"input-stream", 4, 4, "i32"},
	{"path-flags", 1, 1, "i32"},
	{"eight", 1, 1, "i32"},
	{"nine", 2, 2, "i32"},
	{"sixteen", 2, 2, "i32"},
	{"seventeen", 4, 4, "i32"},
	{"ip-address-family", 1, 1, "i32"},
	{"tuple<u8, u16, u8>", 6, 2, "i32 i32 i32"},
	{"tuple<u8, u8, u16>", 4, 2, "i32 i32 i32"},
	{"mixed", 24, 8, "i32 i64 i32"},
	{"tight", 16, 8, "i64 i32 i32"},
	{"tuple<mixed, u8>", 32, 8, "i32 i64 i32 i32"},
	{"datetime", 16, 8, "i64 i32"},
	{"duration", 8, 8, "i64"},
	{"option<u8>", 2, 1, "i32 i32"},
	{"option<u16>", 4, 2, "i32 i32"},
	{"option<u32>", 8, 4, "i32 i32"},
	{"option<u64>", 16, 8, "i32 i64"},
	{"option<string>", 12, 4, "i32 i32 i32"},
	{"option<option<u8>>", 3, 1, "i32 i32 i32"},
	{"option<datetime>", 24, 8, "i32 i64 i32"},
	{"result", 1, 1, "i32"},
	{"result<u8>", 2, 1, "i32 i32"},
	{"result<_, u64>", 16, 8, "i32 i64"},
	{"result<f32, u32>", 8, 4, "i32 i32"},
	{"stream-error", 8, 4, "i32 i32"},
	{"result<list<u8>, stream-error>", 12, 4, "i32 i32 i32"},
	{"result<u64, stream-error>", 16, 8, "i32 i64 i32"},
	{"result<_, stream-error>", 12, 4, "i32 i32 i32"},
	{"result<_, error-code>", 2, 1, "i32 i32"},
	{"ip-address", 18, 2, "i32 i32 i32 i32 i32 i32 i32 i32 i32"},
	{"option<ip-address>", 20, 2, "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32"},
	{"result<option<ip-address>, error-code>", 22, 2,
		"i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32"},
	{"ipv4-socket-address", 6, 2, "i32 i32 i32 i32 i32"},
	{"ipv6-socket-address", 28, 4, "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32"},
	{"ip-socket-address", 32, 4, "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32"},
	{"incoming-datagram", 40, 4, "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32"},
	{"outgoing-datagram", 44, 4, "i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32"},
	{"descriptor-stat", 96, 8,
		"i32 i64 i64 i32 i64 i32 i32 i64 i32 i32 i64 i32"},
	{"new-timestamp", 24, 8, "i32 i64 i32"},
	{"directory-entry", 12, 4, "i32 i32 i32"},
	{"metadata-hash-value", 16, 8, "i64 i64"},
	{"tuple<list<u8>, bool>", 12, 4, "i32 i32 i32"},
	{"int-float", 8, 4, "i32 i32"},
	{"float-double", 16, 8, "i32 i64"},
	{"int-long", 16, 8, "i32 i64"},
	{"long-float", 16, 8, "i32 i64"},
	{"double-long", 16, 8, "i32 i64"},
	{"pair-or-string", 12, 4, "i32 i32 i32"},
	{"nested", 24, 8, "i32 i32 i64"},
	{"tuple<descriptor-stat, list<u8>, list<u8>>", 112, 8,
		"i32 i64 i64 i32 i64 i32 i32 i64 i32 i32 i64 i32 i32 i32 i32 i32"},
	{"tuple<descriptor-stat, list<u8>, list<u8>, u8>", 120, 8, "17 or more"},
	{"option<tuple<descriptor-stat, list<u8>, list<u8>>>", 120, 8, "17 or more"},
}

func TestLayoutAndFlatTypes(t *testing.T) {
	s := newScope(t, wasi)
	for _, row := range layouts {
		t.Run(row.text, func(t *testing.T) {
			got, err := s.Type(row.text)
			if err != nil {
				t.Fatal(err)
			}
			if got.Size() != row.size || got.Align() != row.align {
				t.Errorf("size and alignment: got %d, %d, want %d, %d",
					got.Size(), got.Align(), row.size, row.align)
			}
			flat := "17 or more"
			if got.FlatCount() <= MaxFlatParams {
				flat = strings.Trim(fmt.Sprint(got.Flat()), "[]")
			}
			if flat != row.flat {
				t.Errorf("flat types: got %s, want %s", flat, row.flat)
			}
		})
	}
}

func TestOffsets(t *testing.T) {
	s := newScope(t, wasi)
	for _, row := range []struct {
		text string
		want string
	}{
		{"ipv4-socket-address", "[0 2]"},
		{"ipv6-socket-address", "[0 4 8 24]"},
		{"outgoing-datagram", "[0 8]"},
		{"mixed", "[0 8 16]"},
	} {
		var offsets []uint32
		for _, f := range s.Lookup(row.text).Fields() {
			offsets = append(offsets, f.Offset)
		}
		if got := fmt.Sprint(offsets); got != row.want {
			t.Errorf("%s: got fields at %s, want %s", row.text, got, row.want)
		}
	}
	for _, row := range []struct {
		text string
		want uint32
	}{
		{"result<list<u8>, stream-error>", 4},
		{"result<u64, stream-error>", 8},
		{"ip-socket-address", 4},
		{"result<_, error-code>", 1},
		{"result<option<ip-address>, error-code>", 2},
		{"option<ip-address>", 2},
		{"option<ip-socket-address>", 4},
		{"float-double", 8},
	} {
		typ, err := s.Type(row.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := typ.PayloadOffset(); got != row.want {
			t.Errorf("%s: got the payload at %d, want %d", row.text, got, row.want)
		}
	}
}

func TestDiscriminantSize(t *testing.T) {
	for _, row := range []struct{ cases, want uint32 }{
		{1, 1}, {256, 1}, {257, 2}, {65_536, 2}, {65_537, 4},
	} {
		if got := discriminantSize(int(row.cases)); got != row.want {
			t.Errorf("%d cases: got %d, want %d", row.cases, got, row.want)
		}
	}
	labels := make([]string, 257)
	for i := range labels {
		labels[i] = fmt.Sprint("l", i)
	}
	enum, err := Enum(labels)
	if err != nil {
		t.Fatal(err)
	}
	if enum.Size() != 2 || enum.Align() != 2 {
		t.Errorf("an enum of 257: got %d, %d, want 2, 2", enum.Size(), enum.Align())
	}
}

func TestCoreSignatures(t *testing.T) {
	s := newScope(t, wasi)
	for _, row := range []struct{ text, lifted, lowered string }{
		{"()", "[] []", "[] []"},
		{"() -> u64", "[] [i64]", "[] [i64]"},
		{"() -> string", "[] [i32]", "[i32] []"},
		{"(self: borrow<input-stream>, len: u64) -> result<list<u8>, stream-error>",
			"[i32 i64] [i32]", "[i32 i64 i32] []"},
		{"(a: descriptor-stat, b: list<u8>, c: list<u8>) -> f32",
			"[i32 i64 i64 i32 i64 i32 i32 i64 i32 i32 i64 i32 i32 i32 i32 i32] [f32]",
			"[i32 i64 i64 i32 i64 i32 i32 i64 i32 i32 i64 i32 i32 i32 i32 i32] [f32]"},
		{"(a: descriptor-stat, b: list<u8>, c: list<u8>, d: u8) -> datetime",
			"[i32] [i32]", "[i32 i32] []"},
	} {
		f, err := s.Func(row.text)
		if err != nil {
			t.Fatal(err)
		}
		lifted, lowered := f.Lifted(), f.Lowered()
		if got := fmt.Sprint(lifted.Params, " ", lifted.Results); got != row.lifted {
			t.Errorf("%s lifted: got %s, want %s", row.text, got, row.lifted)
		}
		if got := fmt.Sprint(lowered.Params, " ", lowered.Results); got != row.lowered {
			t.Errorf("%s lowered: got %s, want %s", row.text, got, row.lowered)
		}
	}
}
