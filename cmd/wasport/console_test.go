package main

import "testing"

// TestMessagesAreIndented indents lines that the name of a file has in it.
func TestMessagesAreIndented(t *testing.T) {
	for text, want := range map[string]string{
		"a":                         "wasport: a\n",
		"a\n  b":                    "wasport: a\n  b\n",
		"a\nwasport: b":             "wasport: a\n  wasport: b\n",
		"a\nsee wasport cc --help":  "wasport: a\nsee wasport cc --help\n",
		"a\nsee wasport b --help c": "wasport: a\n  see wasport b --help c\n",
		"a\nsee wasport b":          "wasport: a\n  see wasport b\n",
		"a\nsee wasport b c --help": "wasport: a\n  see wasport b c --help\n",
	} {
		if got := message(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
