//go:build unix

package wasi2

import (
	"fmt"
	"os"
	"testing"

	"github.com/wasport/wasport/internal/system"
)

func TestTerminals(t *testing.T) {
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := newCaller(t, system.Config{Stdin: f, Stdout: f, Stderr: f})
	for i, name := range terminalFunctions {
		c.wants(fmt.Sprintf(`some(%d)`, i+1), name)
	}
	for h, name := range map[uint64]string{1: "input", 2: "output", 3: "output"} {
		if err := c.drop("cli/terminal-"+name+".terminal-"+name, h); err != nil {
			t.Error(err)
		}
	}
}
