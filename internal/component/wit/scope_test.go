package wit

import (
	"testing"
)

const streams = `
	resource error;
	resource input-stream;
	type duration = u64;
	record datetime { seconds: u64, nanoseconds: u32 }
	variant stream-error { last-operation-failed(error), closed }
	enum ip-address-family { ipv4, ipv6 }
	flags path-flags { symlink-follow }
`

func newScope(t *testing.T, text string) *Scope {
	t.Helper()
	s := &Scope{}
	if err := s.Define(text); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFuncIsPrintedAsParsed(t *testing.T) {
	s := newScope(t, streams)
	for _, signature := range []string{
		"()",
		"() -> bool",
		"(self: borrow<input-stream>, len: u64) -> result<list<u8>, stream-error>",
		"(in: list<borrow<input-stream>>) -> list<u32>",
		"(status: result)",
		"() -> result<_, stream-error>",
		"() -> result<option<datetime>>",
		"(a: error, b: path-flags, c: ip-address-family, d: duration) -> tuple<u8, string, char>",
	} {
		t.Run(signature, func(t *testing.T) {
			f, err := s.Func(signature)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.String(); got != signature {
				t.Errorf("got %s, want %s", got, signature)
			}
		})
	}
}
