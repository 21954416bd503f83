package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/wasport/wasport/policy"
)

// TestConcurrentRunsExtendOneLearnFile has runs that end at the same time add to one policy.
func TestConcurrentRunsExtendOneLearnFile(t *testing.T) {
	const runs = 16
	file := filepath.Join(t.TempDir(), "net.toml")
	var files []*learnFile
	for i := range runs {
		l, err := openLearnFile(file)
		if err != nil {
			t.Fatal(err)
		}
		to := netip.MustParseAddrPort(fmt.Sprintf("192.0.2.%d:443", i+1))
		l.learner.Request(policy.Request{Op: policy.OpConnect, Protocol: policy.TCP, Remote: to})
		files = append(files, l)
	}
	var ends sync.WaitGroup
	for _, l := range files {
		ends.Go(func() {
			if err := l.write("test"); err != nil {
				t.Error(err)
			}
		})
	}
	ends.Wait()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(file, text)
	if err != nil {
		t.Fatalf("got %v, want a policy: %s", err, text)
	}
	if got := len(p.Rules()); got != runs {
		t.Errorf("got %d rules, want %d: %s", got, runs, text)
	}
}
