package shortcut

import (
	"strings"
	"testing"
)

// TestExcept turns each shortcut off by its name, and all at once.
func TestExcept(t *testing.T) {
	for i, name := range names {
		if got, err := Except([]string{name}); err != nil || got != all&^(1<<i) {
			t.Errorf("without %s: got %b, %v, want all but bit %d", name, got, err, i)
		}
	}
	if got, err := Except([]string{}); got != all || err != nil {
		t.Errorf("without none: got %b, %v, want all", got, err)
	}
	if got, err := Except([]string{"all"}); got != 0 || err != nil {
		t.Errorf("without all: got %b, %v, want none", got, err)
	}
	if got, err := Except([]string{"receive"}); err == nil || !strings.Contains(err.Error(),
		"receive-ahead") {
		t.Errorf("got %b, %v, want an error that lists the names", got, err)
	}
}
