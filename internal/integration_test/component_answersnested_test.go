package integration_test

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wasport/wasport"
	componentguests "github.com/wasport/wasport/internal/guests/components"
)

// nestedWithScript compiles answers_nested with a port and a script in its data.
func nestedWithScript(t *testing.T, port, script string) *wasport.Module {
	t.Helper()
	wasm, err := componentguests.FS.ReadFile("answers_nested.wasm")
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	wasm = slices.Clone(wasm)
	for place, text := range map[string]string{
		"port=":   string([]byte{byte(number), byte(number >> 8)}),
		"script=": script + " ",
	} {
		at := bytes.Index(wasm, []byte(place))
		if at < 0 || len(text) > 64 {
			t.Fatalf("no place for %q", text)
		}
		copy(wasm[at+len(place):], text)
	}
	mod, err := shared.runtime.Compile(context.Background(), wasm, wasport.CompileConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mod.Close(context.Background()) })
	return mod
}

// TestStreamAnswersOfNested carries scripts out on streams of three component instances, whose
// handles have the same number. The stream 2 is of an instance that has no answers, since there are
// too many instances. Each script is carried out with and without the shortcut.
func TestStreamAnswersOfNested(t *testing.T) {
	const warm, warmSaid = "0cw,1cw,2cw,.", "aoaoao"
	for _, tt := range []struct{ name, script, said, trap string }{
		{"answers", "0cwcfwf,1cwcfwf,2cwcfwf,", "aoaoooaoaoooaoaooo", ""},
		{"permits of instances", "1cwc,0cwc,1w,0w,", "aoaaoaoo", ""},
		{"permit of another instance", "0cwc,1w,", "", "permits 0 bytes, and 1000 are"},
		{"permit of the third", "2cwc,0cwc,2w,", "aoaaoao", ""},
		{"no permit of the third", "0cwc,2w,", "", "permits 0 bytes, and 1000 are"},
		{"other instance is shut down", "1S,0cwf,1cf,0cwc,1cfw,", "saoozzaoazzz", ""},
		{"shut down after a write", "1cwcf,1S,1cfw,", "aoaoszzz", ""},
		{"post-return", "0p,", "", "was called by realloc or post-return"},
		{"post-return without answers", "2p,", "", "was called by realloc or post-return"},
		{"two memories", "0CwCWcwCW,", "aoaoaoao", ""},
		{"write by the other memory", "0cWcWCW,0W,", "", "permits 0 bytes, and 1000 are"},
		{"lowered twice", "0dwdcwdw,", "aoaaoao", ""},
		{"lifted again", "0cw,0q,0wcw,0q,0f,", "aoooaooo", ""},
		{"lifted again without a permit", "0q,0ww,", "", "permits 0 bytes, and 1000 are"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, without := range [][]string{{}, {"stream-answers"}, {"all"}} {
				p := newStreamPeer(t, 3, false, false)
				got := p.run(t, nestedWithScript(t, p.port, warm+tt.script), tt.script,
					wasport.Config{Without: without})
				if got.said != warmSaid+tt.said || !strings.Contains(got.trap, tt.trap) ||
					(got.trap == "") != (tt.trap == "") {
					t.Errorf("without %v: got %q and the trap %q, want %q and %q", without,
						got.said, got.trap, warmSaid+tt.said, tt.trap)
				}
				for i, b := range got.got {
					want := writtenBy(warm+tt.script, i)
					if tt.trap == "" && !strings.Contains(tt.script, "S") && len(b) != want {
						t.Errorf("without %v: got %d bytes of stream %d, want %d", without,
							len(b), i, want)
					}
				}
			}
		})
	}
}

// writtenBy counts the bytes that a script writes to a stream.
func writtenBy(script string, stream int) (n int) {
	for _, call := range strings.Split(script, ",") {
		if strings.Contains(call, strconv.Itoa(stream)) {
			n += 1000 * strings.Count(strings.ToLower(call), "w")
		}
	}
	return n
}

// TestAnswersTakeNoMemory gives a component no more linear memory than its core modules begin with,
// and a page less.
func TestAnswersTakeNoMemory(t *testing.T) {
	const memories = 21 // Two of each inner instance, and one of the outer.
	p := newStreamPeer(t, 3, false, false)
	mod := nestedWithScript(t, p.port, "0cwcw,")
	_, err := mod.Run(context.Background(), wasport.Config{Policy: loopbackPolicy(t),
		MaxMemory: (memories - 1) << 16})
	if err == nil || !strings.Contains(err.Error(), "starts with 65536 bytes of memory, which") {
		t.Errorf("got %v, want an error of the memory", err)
	}
	got := p.run(t, mod, "", wasport.Config{MaxMemory: memories << 16})
	if got.said != "aoao" {
		t.Errorf("got %q and the trap %q, want all done", got.said, got.trap)
	}
}

// TestTraceShowsAnswers counts the calls of a trace, which has each.
func TestTraceShowsAnswers(t *testing.T) {
	p := newStreamPeer(t, 3, false, false)
	var trace bytes.Buffer
	p.run(t, nestedWithScript(t, p.port, "0cwfcwf,2cw,"), "", wasport.Config{Trace: &trace})
	for call, want := range map[string]int{"check-write(1) = ok 65536 <": 3, "write(1, ": 3,
		"flush(1) = ok <": 2} {
		if n := strings.Count(trace.String(), "output-stream."+call); n != want {
			t.Errorf("got %d lines of %s, want %d:\n%s", n, call, want, &trace)
		}
	}
}
