package system

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/kernel"
)

// epollTest is a thread with an epoll.
type epollTest struct {
	*Thread
	t  *testing.T
	ep int32
}

func newEpollTest(t *testing.T, th *Thread) epollTest {
	t.Helper()
	ep, err := th.EpollCreate()
	if err != nil {
		t.Fatal(err)
	}
	return epollTest{th, t, ep}
}

func (e epollTest) control(op EpollOp, fd int32, events EpollEvents) {
	e.t.Helper()
	if err := e.EpollControl(e.ep, op, fd, events, uint64(fd)); err != nil {
		e.t.Fatalf("operation %d on descriptor %d: got %v, want nil", op, fd, err)
	}
}

// want compares the events of a wait without time-out, as "fd: events" in any order.
func (e epollTest) want(what string, want ...string) {
	e.t.Helper()
	events, err := e.EpollWait(e.ep, 10, 0)
	var got []string
	for _, x := range events {
		got = append(got, fmt.Sprintf("%d: %d", x.Data, x.Events))
	}
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		e.t.Errorf("%s: got %q, %v, want %q", what, got, err, want)
	}
}

// epollSources makes descriptors to read, and functions that make them readable, in memory and in
// the host's system.
var epollSources = []struct {
	name string
	open func(t *testing.T, th *Thread) (fd int32, write func(), read func())
}{
	{"pipe", func(t *testing.T, th *Thread) (int32, func(), func()) {
		r, w := pipeOf(t, th, true)
		return r, func() { th.Write(w, buf([]byte("a"))) },
			func() { th.Read(r, buf(make([]byte, 10))) }
	}},
	{"UDP", func(t *testing.T, th *Thread) (int32, func(), func()) {
		fd := openNonblocking(t, th, network.IPv4, network.Datagram)
		if err := th.Bind(fd, netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
			t.Fatal(err)
		}
		at, err := th.LocalAddr(fd)
		if err != nil {
			t.Fatal(err)
		}
		return fd, func() { th.Send(fd, buf([]byte("a")), at, 0) },
			func() {
				for {
					if _, err := th.Recv(fd, buf(make([]byte, 10)), 0); err != nil {
						return
					}
				}
			}
	}},
}

func TestEpollTriggers(t *testing.T) {
	for _, source := range epollSources {
		t.Run(source.name, func(t *testing.T) {
			e := newEpollTest(t, lookupThread(t, kernel.New(kernel.Config{}), 0))
			fd, write, read := source.open(t, e.Thread)
			ready := fmt.Sprintf("%d: %d", fd, EpollIn)

			e.control(EpollAdd, fd, EpollIn)
			e.want("level, nothing")
			write()
			e.want("level, data", ready)
			e.want("level, data again", ready)
			read()
			e.want("level, read")

			e.control(EpollModify, fd, EpollIn|EpollOneshot)
			write()
			e.want("one shot", ready)
			e.want("one shot, again")
			write()
			e.want("one shot, more data")
			e.control(EpollModify, fd, EpollIn|EpollOneshot)
			e.want("one shot, armed anew", ready)
			read()

			e.control(EpollModify, fd, EpollIn|EpollEdge)
			write()
			e.want("edge", ready)
			e.want("edge, again")
			if e.hasEdges() {
				write()
				e.want("edge, more data", ready)
			}
			read()
			e.want("edge, read")
			read() // EAGAIN
			write()
			e.want("edge, data after it was read", ready)

			e.control(EpollModify, fd, 0)
			e.want("nothing asked")
			e.control(EpollModify, fd, EpollIn)
			e.want("asked again", ready)
			e.control(EpollDelete, fd, 0)
			e.want("deleted")
		})
	}
}

func (e epollTest) hasEdges() bool {
	_, o, _ := e.epollAt(e.ep)
	return o.edges != nil
}

// TestEpollReportsStates registers the ends of pipes and pairs after the other end is closed.
func TestEpollReportsStates(t *testing.T) {
	e := newEpollTest(t, lookupThread(t, nil, 0))
	r, w := pipeOf(t, e.Thread, true)
	e.control(EpollAdd, w, EpollIn|EpollOut|EpollRdNorm|EpollWrNorm)
	e.want("writer", fmt.Sprintf("%d: %d", w, EpollOut|EpollWrNorm))
	e.CloseFD(r)
	e.want("reader closed", fmt.Sprintf("%d: %d", w, EpollOut|EpollWrNorm|EpollErr))
	e.control(EpollModify, w, 0)
	e.want("unasked", fmt.Sprintf("%d: %d", w, EpollErr))
	e.CloseFD(w)
	e.want("closed")

	a, b, err := e.Pair(network.Stream, true)
	if err != nil {
		t.Fatal(err)
	}
	e.control(EpollAdd, a, EpollIn)
	e.CloseFD(b)
	e.want("peer closed", fmt.Sprintf("%d: %d", a, EpollIn|EpollHup))
}

// TestEpollRegistrationEndsWithDescription closes descriptors of one description in turn.
func TestEpollRegistrationEndsWithDescription(t *testing.T) {
	e := newEpollTest(t, lookupThread(t, nil, 0))
	r, w := pipeOf(t, e.Thread, true)
	r2, err := e.Dup(r, 0)
	if err != nil {
		t.Fatal(err)
	}
	e.control(EpollAdd, r, EpollIn)
	e.control(EpollAdd, r2, EpollIn)
	e.Write(w, buf([]byte("a")))
	first, second := fmt.Sprintf("%d: %d", r, EpollIn), fmt.Sprintf("%d: %d", r2, EpollIn)
	e.want("both numbers", first, second)
	e.CloseFD(r)
	e.want("one number is closed", first, second)
	e.CloseFD(r2)
	e.want("both are closed")
	if used := e.memory.(*memoryAccount).used.Load(); used != 64<<10 {
		t.Errorf("got %d bytes charged, want those of the pipe", used)
	}
}

func TestEpollErrors(t *testing.T) {
	th := newFileThread(t, "text")
	e := newEpollTest(t, th)
	other := newEpollTest(t, th)
	r, _ := pipeOf(t, th, true)
	e.control(EpollAdd, r, EpollIn)
	r2, _ := pipeOf(t, th, true)
	e.control(EpollAdd, r2, EpollIn|EpollExclusive)
	r3, _ := pipeOf(t, th, true)
	for _, test := range []struct {
		name   string
		epfd   int32
		op     EpollOp
		fd     int32
		events EpollEvents
		want   error
	}{
		{"epoll is closed", 99, EpollAdd, r3, 0, syscall.EBADF},
		{"descriptor is closed", e.ep, EpollAdd, 99, 0, syscall.EBADF},
		{"no epoll", r, EpollAdd, r3, 0, syscall.EINVAL},
		{"itself", e.ep, EpollAdd, e.ep, 0, syscall.EINVAL},
		{"an epoll", e.ep, EpollAdd, other.ep, EpollIn, syscall.ELOOP},
		{"an epoll, exclusive", e.ep, EpollAdd, other.ep, EpollExclusive, syscall.EINVAL},
		{"a file", e.ep, EpollAdd, 4, EpollIn, syscall.EPERM},
		{"a directory", e.ep, EpollAdd, 3, EpollIn, syscall.EPERM},
		{"an output that is discarded", e.ep, EpollAdd, 1, EpollOut, syscall.EPERM},
		{"twice", e.ep, EpollAdd, r, EpollIn, syscall.EEXIST},
		{"modify what is not registered", e.ep, EpollModify, r3, EpollIn, syscall.ENOENT},
		{"delete what is not registered", e.ep, EpollDelete, r3, 0, syscall.ENOENT},
		{"unknown operation", e.ep, 4, r3, 0, syscall.EINVAL},
		{"modify to exclusive", e.ep, EpollModify, r, EpollExclusive, syscall.EINVAL},
		{"modify exclusive", e.ep, EpollModify, r2, EpollIn, syscall.EINVAL},
		{"exclusive and one shot", e.ep, EpollAdd, r3, EpollExclusive | EpollOneshot,
			syscall.EINVAL},
	} {
		if err := th.EpollControl(test.epfd, test.op, test.fd, test.events, 0); err != test.want {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
	for _, test := range []struct {
		name  string
		fd    int32
		limit int
		want  error
	}{
		{"wait on no epoll", r, 1, syscall.EINVAL}, {"wait on nothing", 99, 1, syscall.EBADF},
		{"wait for no event", e.ep, 0, syscall.EINVAL},
	} {
		if _, err := th.EpollWait(test.fd, test.limit, 0); err != test.want {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
	if _, err := th.Read(e.ep, buf(make([]byte, 8))); wasi.ErrnoOf(err) != wasi.ENOTCAPABLE {
		t.Errorf("read from an epoll: got %v, want %v", err, wasi.ENOTCAPABLE)
	}
}

// TestEpollIsLimited makes epolls up to their number, and registrations up to the memory.
func TestEpollIsLimited(t *testing.T) {
	th := lookupThread(t, nil, 0)
	last := int32(-1)
	for {
		fd, err := th.EpollCreate()
		if err != nil {
			if err != syscall.EMFILE || last != 2+maxEpolls {
				t.Errorf("got %v after descriptor %d, want %v after %d", err, last, syscall.EMFILE,
					2+maxEpolls)
			}
			break
		}
		last = fd
	}
	th.CloseFD(last)
	if _, err := th.EpollCreate(); err != nil {
		t.Errorf("got %v after one was closed, want nil", err)
	}
	account := th.memory.(*memoryAccount)
	r, _ := pipeOf(t, th, true)
	account.used.Store(defaultMemory - interestMemory + 1)
	if err := th.EpollControl(last, EpollAdd, r, EpollIn, 0); err != syscall.ENOSPC {
		t.Errorf("got %v without memory, want %v", err, syscall.ENOSPC)
	}
}

// TestEpollCountsAsTwoDescriptors makes as many epolls as the limit of descriptors allows, twice.
func TestEpollCountsAsTwoDescriptors(t *testing.T) {
	const limit = 3 + 7
	th := lookupThread(t, nil, limit)
	for range 2 {
		var fds []int32
		for {
			fd, err := th.EpollCreate()
			if err != nil {
				if err != syscall.EMFILE {
					t.Errorf("got %v beyond the limit, want %v", err, syscall.EMFILE)
				}
				break
			}
			fds = append(fds, fd)
		}
		if len(fds) != 3 {
			t.Errorf("got %d epolls with room for 7 descriptors, want 3", len(fds))
		}
		r, _, err := th.Pipe(true)
		if err != syscall.EMFILE {
			t.Errorf("got pipe %d, %v with room for one, want %v", r, err, syscall.EMFILE)
		}
		for _, fd := range fds {
			if err := th.CloseFD(fd); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestEpollCostsByWhatIsReady counts the polls of waits with many registrations, of which a
// few are ready.
func TestEpollCostsByWhatIsReady(t *testing.T) {
	const registered, ready, waits = 1000, 3, 10
	for _, source := range epollSources {
		t.Run(source.name, func(t *testing.T) {
			e := newEpollTest(t, lookupThread(t, kernel.New(kernel.Config{}), 0))
			var writes, reads []func()
			for range registered {
				fd, write, read := source.open(t, e.Thread)
				e.control(EpollAdd, fd, EpollIn)
				writes, reads = append(writes, write), append(reads, read)
			}
			e.EpollWait(e.ep, registered, 0)
			_, o, _ := e.epollAt(e.ep)
			before := o.polls.Load()
			for range waits {
				for i := range ready {
					writes[i*100]()
				}
				if got, err := e.EpollWait(e.ep, registered, 0); len(got) != ready || err != nil {
					t.Fatalf("got %d events, %v, want %d", len(got), err, ready)
				}
				for i := range ready {
					reads[i*100]()
				}
			}
			// A level-triggered one is polled once more, to find that it is no longer ready.
			most := uint64(2 * ready * waits)
			if !e.hasEdges() { // a wait polls all registrations
				most += registered * waits
			}
			if got := o.polls.Load() - before; got > most {
				t.Errorf("got %d polls, want at most %d", got, most)
			}
		})
	}
}

// TestEpollTakesTurns asks for fewer events than there are.
func TestEpollTakesTurns(t *testing.T) {
	e := newEpollTest(t, lookupThread(t, nil, 0))
	seen := make(map[uint64]int)
	for range 4 {
		fd, err := e.Counter(1, false, true)
		if err != nil {
			t.Fatal(err)
		}
		e.control(EpollAdd, fd, EpollIn)
	}
	gone, _ := e.Counter(1, false, true)
	e.control(EpollAdd, gone, EpollIn)
	e.CloseFD(gone)
	for range 6 {
		events, err := e.EpollWait(e.ep, 2, 0)
		if err != nil || len(events) != 2 {
			t.Fatalf("got %v, %v, want 2 events", events, err)
		}
		for _, x := range events {
			seen[x.Data]++
		}
	}
	for fd, n := range seen {
		if n != 3 {
			t.Errorf("descriptor %d: got %d events, want 3", fd, n)
		}
	}
}

// TestEpollWaitIsWoken ends a wait in each way.
func TestEpollWaitIsWoken(t *testing.T) {
	killed := errors.New("killed")
	for _, source := range epollSources {
		for _, test := range []struct {
			name string
			do   func(e epollTest, fd int32, write func())
			want error
		}{
			{"data", func(_ epollTest, _ int32, write func()) { write() }, nil},
			{"registered", func(e epollTest, _ int32, _ func()) {
				fd, _ := e.Counter(1, false, false)
				e.control(EpollAdd, fd, EpollIn)
			}, nil},
			{"closed", func(e epollTest, _ int32, _ func()) { e.CloseFD(e.ep) }, wasi.EBADF},
			{"killed", func(e epollTest, _ int32, _ func()) { e.Kill(killed) }, killed},
		} {
			t.Run(source.name+"/"+test.name, func(t *testing.T) {
				th, s := scheduledThread(t, Config{Network: kernel.New(kernel.Config{})})
				e := newEpollTest(t, th)
				fd, write, _ := source.open(t, th)
				e.control(EpollAdd, fd, EpollIn)
				blocked := make(chan *Thread)
				wait := another(th, s, func(th *Thread) error {
					blocked <- th
					got, err := th.EpollWait(e.ep, 10, -1)
					if err == nil && len(got) != 1 {
						err = fmt.Errorf("%d events", len(got))
					}
					return err
				})
				other := <-blocked
				for other.sleeper.Load() == nil {
					time.Sleep(time.Millisecond)
				}
				test.do(e, fd, write)
				if err := wait(); !errors.Is(err, test.want) && wasi.ErrnoOf(err) != test.want {
					t.Errorf("got %v, want %v", err, test.want)
				}
			})
		}
	}
}

func TestEpollTimeOut(t *testing.T) {
	e := newEpollTest(t, lookupThread(t, nil, 0))
	r, _ := pipeOf(t, e.Thread, true)
	e.control(EpollAdd, r, EpollIn)
	started := time.Now()
	got, err := e.EpollWait(e.ep, 1, int64(20*time.Millisecond))
	wantResult(t, "wait", len(got), err, 0, nil)
	if took := time.Since(started); took < 20*time.Millisecond {
		t.Errorf("got an end after %v, want at least 20ms", took)
	}
}

// TestEpollIsPolled waits for an epoll by Poll.
func TestEpollIsPolled(t *testing.T) {
	for _, source := range epollSources {
		t.Run(source.name, func(t *testing.T) {
			e := newEpollTest(t, lookupThread(t, kernel.New(kernel.Config{}), 0))
			fd, write, read := source.open(t, e.Thread)
			e.control(EpollAdd, fd, EpollIn)
			check := func(what string, want int) {
				t.Helper()
				in := []Subscription{{Kind: Reading, FD: e.ep}, {Kind: Timer, Timeout: 1000}}
				events, err := e.Poll(in, false)
				got := 0
				for _, x := range events {
					if x.Index == 0 {
						got++
						if !e.hasEdges() && x.Err != wasi.ENOTSUP {
							t.Errorf("got %v without edges, want %v", x.Err, wasi.ENOTSUP)
						}
					}
				}
				if (got != want && e.hasEdges()) || err != nil {
					t.Errorf("%s: got %v, %v, want %d of the epoll", what, events, err, want)
				}
			}
			check("nothing", 0)
			write()
			check("data", 1)
			check("data again", 1)
			e.want("wait", fmt.Sprintf("%d: %d", fd, EpollIn))
			check("data after a wait", 1)
			read()
			check("read", 0)
		})
	}
}

// TestThreadsFightOverDescriptors has threads register, close, duplicate and wait for the same
// descriptors, until the guest is killed.
func TestThreadsFightOverDescriptors(t *testing.T) {
	th, s := scheduledThread(t, Config{Network: kernel.New(kernel.Config{}), MaxDescriptors: 24})
	e := newEpollTest(t, th)
	var waits []func() error
	for i := range 4 {
		waits = append(waits, another(th, s, func(th *Thread) error {
			for n := i; n < 400 && th.Err() == nil; n++ {
				fd := int32(3 + n*7%20)
				switch n % 9 {
				case 0:
					th.Pipe(true)
				case 1:
					th.Pair(network.Stream, true)
				case 2:
					th.Open(network.IPv4, network.Datagram)
				case 3:
					th.CloseFD(fd)
				case 4:
					th.DupTo(fd, int32(3+n*5%20))
				case 5:
					th.EpollWait(e.ep, 4, 1000)
				case 6:
					th.TryWrite(fd, buf([]byte("a")))
				default:
					th.EpollControl(e.ep, EpollOp(1+n%3), fd, EpollIn|EpollOut|EpollEdge, 0)
				}
			}
			return nil
		}))
	}
	for _, wait := range waits {
		wait()
	}
	th.Guest.Close()
	if used := th.memory.(*memoryAccount).used.Load(); used != 0 {
		t.Errorf("got %d bytes charged after the end, want 0", used)
	}
	if n := th.epolls.Load(); n != 0 {
		t.Errorf("got %d epolls after the end, want 0", n)
	}
}
