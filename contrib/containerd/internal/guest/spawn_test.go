package guest

import (
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/wasport/wasport/contrib/containerd/internal/child"
)

// TestModuleOfImage has a child ask for the module of its image, which comes in parts.
func TestModuleOfImage(t *testing.T) {
	control, theirs, err := newControl()
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	received := make(chan string, 1)
	go func() {
		defer theirs.Close()
		in, out := json.NewDecoder(theirs), json.NewEncoder(theirs)
		in.Decode(&child.Request{})
		out.Encode(child.Reply{Missing: "m.wasm"})
		module, err := child.ReadParts(in)
		if err == nil {
			out.Encode(child.Reply{})
		}
		received <- string(module)
	}()
	err = control.prepare(&child.Request{}, func(name string, to io.Writer) error {
		for _, part := range []string{name, "", "\x00\xff", "end"} {
			if n, err := io.WriteString(to, part); err != nil || n != len(part) {
				return errors.Join(err, io.ErrShortWrite)
			}
		}
		return nil
	})
	if got := <-received; err != nil || got != "m.wasm\x00\xffend" {
		t.Errorf("got %q, %v, want the parts", got, err)
	}
}
