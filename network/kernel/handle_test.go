package kernel

import (
	"net"
	"sync"
	"testing"

	"github.com/wasport/wasport/network"
)

func TestReplaceUnused(t *testing.T) {
	h := new(handle)
	var replaced int
	replace := func() { replaced++ }
	want := func(step string, n int) {
		t.Helper()
		if replaced != n {
			t.Fatalf("after %s: got %d replacements, want %d", step, replaced, n)
		}
	}
	h.acquire()
	h.acquire()
	h.replaceUnused(replace)
	h.release()
	want("a call, with another under way", 0)
	h.acquire()
	h.release()
	want("a call inside another", 0)
	h.release()
	want("the last call", 1)
	h.acquire()
	h.release()
	want("a further call", 1)
	h.acquire()
	h.replaceUnused(replace)
	h.keepUnused()
	h.release()
	want("keepUnused", 1)
}

// TestLastCallCloses has the last of the calls that are under way at Close close the descriptor.
func TestLastCallCloses(t *testing.T) {
	fd, err := sysSocket(network.IPv4, network.Stream)
	if err != nil {
		t.Fatal(err)
	}
	h := &handle{fd: fd}
	isOpen := func() bool {
		o := options[network.KeepAlive]
		_, err := getInt(h.fd, o.level, o.name)
		return err == nil
	}
	h.acquire()
	h.acquire()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h.release()
	if !isOpen() || h.acquire() {
		t.Fatal("got a closed descriptor or an open handle, want a call to keep only the first")
	}
	if h.release(); isOpen() {
		t.Fatal("got an open descriptor after the last call, want a closed one")
	}
}

// TestReplaceBesideCalls has calls that use the descriptor while others replace it, and a Close.
func TestReplaceBesideCalls(t *testing.T) {
	open := func() descriptor {
		fd, err := sysSocket(network.IPv4, network.Stream)
		if err != nil {
			t.Error(err)
		}
		return fd
	}
	h := &handle{fd: open()}
	renew := func() {
		(&handle{fd: h.fd}).closeFD()
		h.fd = open()
	}
	var calls sync.WaitGroup
	for i := range 8 {
		calls.Go(func() {
			for range 500 {
				if !h.acquire() {
					t.Error("got a closed handle, want an open one")
					return
				}
				if _, err := getInt(h.fd, options[network.KeepAlive].level,
					options[network.KeepAlive].name); err != nil {
					t.Errorf("got %v, want a descriptor that is open", err)
				}
				if i == 0 {
					h.replaceUnused(renew)
				}
				h.release()
			}
		})
	}
	calls.Wait()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if h.acquire() || h.Close() != net.ErrClosed {
		t.Error("got an open handle, want a closed one")
	}
}
