package engine

import (
	"strings"
	"testing"

	"github.com/wasport/wasport/internal/component/link"
)

func TestCoreModuleName(t *testing.T) {
	for name, want := range map[string]string{
		"": "core module 3", "greeter": "greeter", strings.Repeat("x", 101): "core module 3",
		"\x1b[2J": `"\x1b[2J"`,
	} {
		if got := coreModuleName(&link.Module{Number: 3, Name: name}); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
}
