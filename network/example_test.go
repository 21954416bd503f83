package network_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/poll"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// recv is the loop in the doc of network.Pollable.
func recv(s network.Socket, b [][]byte, end time.Time) (network.Received, error) {
	for {
		r, err := s.Recv(b, 0)
		if !errors.Is(err, syscall.EAGAIN) {
			return r, err
		}
		if _, err := s.Wait(network.Readable, end); err != nil {
			return network.Received{}, err
		}
	}
}

// queue is a Pollable without a descriptor of the operating system.
type queue struct {
	mu       sync.Mutex
	messages []string
	wakes    map[*int]func()
}

// Readiness is the example in the doc of network.Readiness.
func (q *queue) Readiness() network.Readiness {
	return network.Readiness{Notify: func(_ network.Events, wake func()) (stop func()) {
		q.mu.Lock()
		defer q.mu.Unlock()
		id := new(int) // a key that no other call has
		q.wakes[id] = wake
		if len(q.messages) > 0 {
			wake()
		}
		return func() { q.mu.Lock(); defer q.mu.Unlock(); delete(q.wakes, id) }
	}}
}

func (q *queue) Poll(want network.Events) (network.Events, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.messages) > 0 {
		return want & network.Readable, nil
	}
	return 0, nil
}

func (q *queue) Available() (int, error) { return 0, nil }

// put makes Readable begin to hold.
func (q *queue) put(message string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages = append(q.messages, message)
	for _, wake := range q.wakes {
		wake()
	}
}

// A call that blocks tries, waits and tries again.
func ExamplePollable() {
	s, err := kernel.New(kernel.Config{}).Open(network.IPv4, network.Datagram)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	if err := s.Bind(netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
		fmt.Println(err)
		return
	}
	addr, err := s.LocalAddr()
	if err != nil {
		fmt.Println(err)
		return
	}
	b := make([]byte, 16)
	_, err = recv(s, [][]byte{b}, time.Now().Add(time.Millisecond))
	fmt.Println("without a sender:", errors.Is(err, os.ErrDeadlineExceeded))

	go s.Send([][]byte{[]byte("hello")}, addr)
	r, err := recv(s, [][]byte{b}, time.Now().Add(time.Minute))
	fmt.Printf("received %q, %v\n", b[:r.N], err)
	// Output:
	// without a sender: true
	// received "hello", <nil>
}

// A queue without a descriptor is waited for by its Notify.
func ExampleReadiness() {
	q := &queue{wakes: make(map[*int]func())}
	set, err := poll.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer set.Close()
	items := []poll.Item{{P: q, Want: network.Readable}}

	go q.put("hello")
	ready, err := set.Wait(items, true, time.Now().Add(time.Minute))
	fmt.Println("ready:", ready, err)
	// Output:
	// ready: [0] <nil>
}

// TestSamplesInComments compares the code in the comments of readiness.go with the functions of
// this file, which the examples run.
func TestSamplesInComments(t *testing.T) {
	doc, err := os.ReadFile("readiness.go")
	if err != nil {
		t.Fatal(err)
	}
	var samples strings.Builder
	for line := range strings.Lines(string(doc)) {
		if code, ok := strings.CutPrefix(strings.TrimLeft(line, "\t"), "//\t"); ok {
			samples.WriteString(code)
		}
	}
	self, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, signature := range []string{"func recv(", "func (q *queue) Readiness("} {
		t.Run(signature, func(t *testing.T) {
			code := string(self)
			code = code[strings.Index(code, "\n"+signature)+1:]
			want, _, _ := strings.Cut(code, "\n}\n")
			if got := samples.String(); !strings.Contains(got, want+"\n}\n") {
				t.Errorf("got the samples\n%s\nwant among them\n%s\n}", got, want)
			}
		})
	}
}
