package hostfs

import (
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/sys/windows"
)

func TestConsoleReader(t *testing.T) {
	const interrupt = "interrupt"
	long := strings.Repeat("x", 1023) // one less than a read takes
	for _, test := range []struct {
		name  string
		typed []string
		want  string
	}{
		{"lines", []string{"one\r\n", "\r\n", "two\r\n"}, "one\n\ntwo\n"},
		{"part of a line", []string{"on", "e\r\n"}, "one\n"},
		{"other letters", []string{"é€😀\r\n"}, "é€😀\n"},
		{"return alone", []string{"a\rb\r\n"}, "a\rb\n"},
		{"newline in two reads", []string{long + "\r\n", "end\r\n"}, long + "\nend\n"},
		{"letter in two reads", []string{long + "😀\r\n"}, long + "😀\n"},
		{"interrupt", []string{"one\r\n", interrupt, "two\r\n"}, "one\ntwo\n"},
		{"end of input", []string{"one\r\n", "\x1a\r\n", "two\r\n"}, "one\n"},
		{"end of input within a line", []string{"one\x1a\r\n"}, "one\x1a\n"},
		{"nothing", []string{"one\r\n", "", "two\r\n"}, "one\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var reads [][]uint16
			for _, line := range test.typed {
				reads = append(reads, utf16.Encode([]rune(line)))
			}
			c := &consoleReader{readUnits: func(units []uint16) (int, error) {
				if len(reads) == 0 {
					return 0, nil
				}
				if string(utf16.Decode(reads[0])) == interrupt {
					reads = reads[1:]
					return 0, windows.ERROR_OPERATION_ABORTED
				}
				n := copy(units, reads[0])
				if reads[0] = reads[0][n:]; len(reads[0]) == 0 {
					reads = reads[1:]
				}
				return n, nil
			}}
			got, err := io.ReadAll(c)
			if string(got) != test.want || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}
