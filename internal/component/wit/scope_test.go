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

func TestStructureIsPrintedInWIT(t *testing.T) {
	s := newScope(t, streams)
	for name, want := range map[string]string{
		"stream-error":      "variant { last-operation-failed(error), closed }",
		"datetime":          "record { seconds: u64, nanoseconds: u32 }",
		"ip-address-family": "enum { ipv4, ipv6 }",
		"path-flags":        "flags { symlink-follow }",
		"duration":          "u64",
	} {
		typ := s.Lookup(name)
		if got := typ.Structure(); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		if got := typ.String(); got != name || typ.Name() != name {
			t.Errorf("%s: got name %s", name, got)
		}
	}
}

func TestUseSharesTypes(t *testing.T) {
	io := newScope(t, streams)
	s := &Scope{}
	if err := s.Use(io, "input-stream", "stream-error"); err != nil {
		t.Fatal(err)
	}
	if s.Resource("input-stream") != io.Resource("input-stream") || s.Resource("error") != nil {
		t.Error("got other resources than those that were used")
	}
	if err := s.Use(io, "output-stream"); err == nil {
		t.Error("a name that is not there: got no error")
	}
	if err := s.Use(io); err != nil || s.Lookup("datetime") != io.Lookup("datetime") {
		t.Errorf("all names: got %v", err)
	}
}

func TestMistakesAreErrors(t *testing.T) {
	s := newScope(t, streams)
	for _, text := range []string{
		"", "(", "(a)", "(a:)", "(a: u8", "(a: u8) ->", "() -> list", "() -> list<>",
		"() -> list<u8, u8>", "() -> nothing", "() -> borrow<datetime>", "() -> result<u8, u8, u8>",
		"() u8", "() -> u8 u8", "(a: tuple<>)", "(-: u8)",
	} {
		if f, err := s.Func(text); err == nil {
			t.Errorf("%q: got %s, want an error", text, f)
		}
	}
	for _, text := range []string{
		"u8", "resource", "resource a", "type a", "type a = b;", "record a { b }", "enum a {}",
		"variant a { b( }", "resource error;", "flags a { b", "union a { b }",
	} {
		if err := s.Define(text); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
}
