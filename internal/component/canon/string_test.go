package canon

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/wasport/wasport/internal/component/wit"
)

var encodings = []Encoding{UTF8, UTF16, Latin1UTF16}

// texts have characters of up to 1, 1, 2 and 4 bytes of Latin-1 or UTF-16.
var texts = map[string]string{
	"empty":         "",
	"ASCII":         "hello",
	"Latin-1":       "héllo ÿ\u0080",
	"BMP":           "h€llo \uFFFD \uD7FF\uE000",
	"astral":        "a\U0001F600b\U0010FFFF",
	"ends beyond":   "hello é €",
	"begins beyond": "€ é hello",
	"with NUL":      "a\x00b",
}

// encode is the reference that the package is compared with: the bytes and the length.
func encode(s string, e Encoding) (b []byte, n uint32) {
	runes := []rune(s)
	switch e {
	case UTF8:
		return []byte(s), uint32(len(s))
	case Latin1UTF16:
		latin1 := true
		for _, r := range runes {
			latin1 = latin1 && r <= 0xFF
			b = append(b, byte(r))
		}
		if latin1 {
			return b, uint32(len(b))
		}
		b, n = encode(s, UTF16)
		return b, n | 1<<31
	}
	units := utf16.Encode(runes)
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b, uint32(len(units))
}

// coreFunc is a Core of a Go function.
type coreFunc func(ctx context.Context, stack []uint64) error

func (f coreFunc) Call(ctx context.Context, stack []uint64) error { return f(ctx, stack) }

func newSignature(t testing.TB, s *wit.Scope, text string) *Signature {
	t.Helper()
	f, err := s.Func(text)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := NewSignature(f)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// TestStringsBetweenEncodings passes strings from one component to another and back.
func TestStringsBetweenEncodings(t *testing.T) {
	sig := newSignature(t, &wit.Scope{}, "(s: string) -> string")
	for _, from := range encodings {
		for _, to := range encodings {
			for name, text := range texts {
				t.Run(fmt.Sprintf("%d to %d/%s", from, to, name), func(t *testing.T) {
					testString(t, sig, text, from, to)
				})
			}
		}
	}
}

func testString(t *testing.T, sig *Signature, text string, from, to Encoding) {
	guest := new(Guest)
	caller, callee := newMemory(), newMemory()
	b, n := encode(text, from)
	wantBytes, wantLen := encode(text, to)
	target := &Lifted{Signature: sig, Options: Options{
		Instance: guest.NewInstance(2, nil), Encoding: to, Memory: callee, Realloc: callee,
	}}
	target.Core = coreFunc(func(_ context.Context, stack []uint64) error {
		ptr, n := uint32(stack[0]), uint32(stack[1])
		if got := callee.bytes[ptr:]; string(got) != string(wantBytes) || n != wantLen {
			t.Errorf("the callee got %x, %#x, want %x, %#x", got, n, wantBytes, wantLen)
		}
		little.PutUint32(callee.bytes[at:], ptr)
		little.PutUint32(callee.bytes[at+4:], n)
		stack[0] = at
		return nil
	})
	lowered := &Lowered{Signature: sig, Target: target, Options: Options{
		Instance: guest.NewInstance(1, nil), Encoding: from, Memory: caller, Realloc: caller,
	}}
	place, err := lowered.Options.realloc(t.Context(), 2, uint32(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	copy(caller.bytes[place:], b)
	if err := lowered.Call(t.Context(), []uint64{uint64(place), uint64(n), at}); err != nil {
		t.Fatal(err)
	}
	ptr, got := little.Uint32(caller.bytes[at:]), little.Uint32(caller.bytes[at+4:])
	if back := caller.bytes[ptr:]; string(back) != string(b) || got != n {
		t.Errorf("the caller got %x, %#x, want %x, %#x", back, got, b, n)
	}
	want := fmt.Sprint([]int{len(wantBytes)})
	if got := fmt.Sprint(callee.sizes); got != want {
		t.Errorf("realloc was called with sizes %s, want %s", got, want)
	}
}

func TestWrongStringsTrap(t *testing.T) {
	for _, row := range []struct {
		name     string
		encoding Encoding
		bytes    string
		ptr, n   uint32
		want     string
	}{
		{"overlong", UTF8, "c080", heap, 2, "not valid UTF-8"},
		{"surrogate in UTF-8", UTF8, "eda080", heap, 3, "not valid UTF-8"},
		{"cut UTF-8", UTF8, "e282", heap, 2, "not valid UTF-8"},
		{"above Unicode", UTF8, "f4908080", heap, 4, "not valid UTF-8"},
		{"high surrogate at the end", UTF16, "610000d8", heap, 2, "surrogate"},
		{"high surrogate alone", UTF16, "00d86100", heap, 2, "surrogate"},
		{"low surrogate first", UTF16, "00dc00d8", heap, 2, "surrogate"},
		{"misaligned UTF-16", UTF16, "61006100", heap + 1, 1, "not aligned to 2"},
		{"misaligned Latin-1", Latin1UTF16, "6161", heap + 1, 1, "not aligned to 2"},
		{"misaligned tagged", Latin1UTF16, "616161", heap + 1, 1 | utf16Tag, "not aligned to 2"},
		{"surrogate tagged", Latin1UTF16, "00d8", heap, 1 | utf16Tag, "surrogate"},
		{"beyond the memory", UTF8, "61", heap, 2, "not in the memory"},
		{"UTF-16 beyond the memory", UTF16, "61000", heap, 2, "not in the memory"},
		{"wrapping", UTF8, "61", 0xFFFF_FFFF, 2, "not in the memory"},
		{"empty beyond the memory", UTF8, "61", heap + 2, 0, "not in the memory"},
		{"too long", UTF8, "61", 0, wit.MaxSize + 1, "at most 268435455"},
		{"too long in UTF-16", UTF16, "61", 0, (wit.MaxSize + 1) / 2, "at most 268435455"},
		{"tagged and too long", Latin1UTF16, "61", 0, 0xFFFF_FFFF, "at most 268435455"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := newMemory()
			b, _ := hex.DecodeString(row.bytes[:len(row.bytes)/2*2])
			m.bytes = append(m.bytes, b...)
			lift := newLifter(newOptions(m, row.encoding))
			v, err := lift.string(row.ptr, row.n)
			wantTrap(t, err, row.want)
			if err == nil {
				t.Errorf("got %q", v.Text())
			}
		})
	}
	t.Run("empty at the end", func(t *testing.T) {
		lift := newLifter(newOptions(newMemory(), UTF8))
		if v, err := lift.string(heap, 0); err != nil || v.Text() != "" {
			t.Errorf("got %q, %v, want an empty string", v.Text(), err)
		}
	})
}

func wantTrap(t *testing.T, err error, text string) {
	t.Helper()
	if _, ok := err.(*Trap); !ok || !strings.Contains(err.Error(), text) {
		t.Errorf("got error %v, want a trap with %q", err, text)
	}
}

func TestStringsOfHostsAreValid(t *testing.T) {
	w := lowerer{ctx: t.Context(), opts: newOptions(newMemory(), UTF8)}
	if err := w.store(wit.String, Text("a\xff"), at); err != errNotUTF8 {
		t.Errorf("got %v, want %v", err, errNotUTF8)
	}
}
