package main

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestPageShowsRecordings checks that docs/platforms.md is what the command makes, and so that each
// difference from Linux has its reason there.
func TestPageShowsRecordings(t *testing.T) {
	want, err := makePage(".")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/platforms.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("got a docs/platforms.md that differs from the recordings, want it written by " +
			"`go run ./internal/platforms`")
	}
}

func TestEachDifferenceHasItsReason(t *testing.T) {
	bind, recv := call{"sock_bind", "in use"}, call{"sock_recv", "reset"}
	columnOf := func(platform string, results map[call]string) column {
		c := column{platform: platform, results: results}
		c.calls = slices.Collect(maps.Keys(results))
		return c
	}
	linux := columnOf("linux", map[call]string{bind: "EADDRINUSE", recv: "ECONNRESET"})
	same := columnOf("wine", map[call]string{bind: "EADDRINUSE", recv: "ECONNRESET"})
	other := columnOf("wine", map[call]string{bind: "success", recv: "ECONNRESET"})
	because := func(platform, name, how string) []reason {
		return []reason{{platform: platform, call: call{name, how}, text: "because"}}
	}
	for _, test := range []struct {
		name    string
		column  column
		reasons []reason
		err     string // a part of it; "" for none
	}{
		{"the same", same, nil, ""},
		{"a difference with its reason", other, because("wine", "sock_bind", "in use"), ""},
		{"a reason for all calls", other, because("wine", "sock_bind", "*"), ""},
		{"a reason for all imports", other, because("wine", "*", "in use"), ""},
		{"a difference without a reason", other, nil, `got "success", on Linux "EADDRINUSE"`},
		{"a reason of another platform", other, because("arm64", "sock_bind", "in use"),
			"no reason"},
		{"a reason without a difference", same, because("wine", "sock_bind", "in use"),
			"a reason without a difference"},
		{"a call that was not recorded", columnOf("wine", map[call]string{bind: "EADDRINUSE"}),
			nil, `reset: got "not there"`},
		{"a call that Linux lacks", columnOf("wine", map[call]string{bind: "EADDRINUSE",
			recv: "ECONNRESET", {"sock_send", "reset"}: "EPIPE"}), nil,
			`got "EPIPE", on Linux "not there"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows, err := makeRows([]column{linux, test.column}, test.reasons)
			err = errors.Join(err, checkUsed(test.reasons))
			switch {
			case test.err == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("got %v, want %q", err, test.err)
			case test.reasons != nil && test.err == "" &&
				!slices.ContainsFunc(rows, func(r row) bool { return r.why != nil }):
				t.Errorf("got rows %v, want one with its reason", rows)
			}
		})
	}
}
