package integration_test

import (
	"context"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/wasport/wasport"
)

// TestConfigMistakesAreRefused starts guests with a configuration that contradicts itself.
func TestConfigMistakesAreRefused(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	m := compileTestdata(t, "nothing")
	for _, test := range []struct {
		name string
		c    wasport.Config
		want string
	}{
		{"negative time", wasport.Config{MaxCPU: -1}, "Config.MaxCPU is -1ns"},
		{"negative descriptors", wasport.Config{MaxDescriptors: -1},
			"Config.MaxDescriptors is -1"},
		{"too few descriptors", wasport.Config{MaxDescriptors: 2},
			"the guest starts with 3 descriptors"},
		{"descriptors too few for directories",
			wasport.Config{MaxDescriptors: 3, Dirs: []wasport.Dir{{Host: dir}}},
			"the guest starts with 4 descriptors"},
		{"no file", wasport.Config{Stdin: (*os.File)(nil)},
			"preparing the guest's descriptors: Config.Stdin: "},
		{"no file to write", wasport.Config{Stderr: (*os.File)(nil)},
			"preparing the guest's descriptors: Config.Stderr: "},
		{"no socket", wasport.Config{Sockets: []syscall.Conn{(*net.TCPListener)(nil)}},
			"Config.Sockets[0]: "},
		{"two directories of one name", wasport.Config{Dirs: []wasport.Dir{
			{Host: dir, Guest: "/x"}, {Host: other, Guest: "/x/"}}},
			"two directories have the name /x"},
		{"a directory twice", wasport.Config{Dirs: []wasport.Dir{{Host: dir}, {Host: dir}}},
			"two directories have the name"},
		{"no directory", wasport.Config{Dirs: []wasport.Dir{{Host: dir}, {}}},
			"Config.Dirs[1] has neither a Host nor an FS"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := m.Run(context.Background(), test.c)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s...", err, test.want)
			}
		})
	}
	// A module without _start is a library.
	const called = "functions of a library are called by Instance.Call"
	_, err := compileTestdata(t, "instance").Run(context.Background(), wasport.Config{})
	if err == nil || !strings.Contains(err.Error(), called) {
		t.Errorf("a library: got %v, want %s", err, called)
	}
	// A negative number of threads is none.
	if _, err := m.Run(context.Background(), wasport.Config{MaxThreads: -4}); err != nil {
		t.Errorf("MaxThreads -4: got %v, want no error", err)
	}
}
