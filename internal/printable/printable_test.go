package printable

import (
	"errors"
	"strconv"
	"testing"
	"unicode/utf8"
)

func TestNameForTerminal(t *testing.T) {
	for name, want := range map[string]string{
		"sock_open":      "sock_open",
		"":               "",
		"größe 寸":        "größe 寸",
		"\x1b[2J":        `"\x1b[2J"`,
		"a\nb":           `"a\nb"`,
		"\u202eb":        `"\u202eb"`,
		"\u009bm":        `"\u009bm"`,
		"\xff":           `"\xff"`,
		`"quoted"`:       `"\"quoted\""`,
		`back\slash`:     `"back\\slash"`,
		"\u00a0no\u200b": `"\u00a0no\u200b"`,
	} {
		if got := Name(name); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
}

func TestTextForTerminal(t *testing.T) {
	for text, want := range map[string]string{
		`import "x"`:      `import "x"`,
		"a\x1b[1mb\tc":    `a\x1b[1mb\tc`,
		"\xffa\ufffd\x00": `\xffa�\x00`,
	} {
		if got := Text(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
		if got := Error(errors.New(text)).Error(); got != want {
			t.Errorf("error %q: got %s, want %s", text, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("\x1b]0;title\x07\r\n\u202e\xff\ufffd")
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{Text(s), Name(s)} {
			if !utf8.ValidString(got) {
				t.Fatalf("%q: got %q, want UTF-8", s, got)
			}
			for _, r := range got {
				if !strconv.IsPrint(r) {
					t.Fatalf("%q: got %q, want it without %U", s, got, r)
				}
			}
			if Text(got) != got {
				t.Fatalf("%q: got %q, want a fixed point of Text", s, got)
			}
		}
	})
}
