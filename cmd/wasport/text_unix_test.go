//go:build unix

package main

import (
	"strings"
	"testing"
)

// TestTextThatIsNotUTF8IsAMistake passes a component a variable that it cannot get. Windows has no
// such text: the arguments of programs are UTF-16.
func TestTextThatIsNotUTF8IsAMistake(t *testing.T) {
	p := startWasport(t, "run", "--env", "A=\xff", "../../internal/guests/components/hello.wasm")
	status, stderr := p.wait()
	if want := "is not UTF-8, which a component needs"; status != statusUsage ||
		!strings.Contains(stderr, want) {
		t.Errorf("got status %d and %q, want %d and %q", status, stderr, statusUsage, want)
	}
}
