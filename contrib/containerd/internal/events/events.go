// Package events reports the starts and ends of containers to containerd.
//
// containerd may be down for a while, as during an upgrade: reports wait in a queue, in their
// order, and are tried again. The reports themselves are made elsewhere (package guest).
package events

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	api "github.com/containerd/containerd/api/services/ttrpc/events/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/ttrpc"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	// maxQueued bounds the reports that wait. A pod causes a handful in its life.
	maxQueued = 4096
	// maxTries and pause bound how long a report is tried.
	maxTries = 300
	pause    = time.Second
	// callTimeout is the longest that containerd may take for a report.
	callTimeout = 5 * time.Second
)

// Queue reports events. Its methods may be called from several goroutines.
type Queue struct {
	namespace, address string

	queue chan *types.Envelope
	done  chan struct{}
	// closing ends the pauses between tries.
	closing   chan struct{}
	closeOnce sync.Once

	// client is nil while there is no connection. Only the queue's goroutine uses it.
	client *ttrpc.Client
}

// New returns a queue of reports to containerd's ttrpc address.
func New(namespace, address string) *Queue {
	q := &Queue{namespace: namespace, address: strings.TrimPrefix(address, "unix://"),
		queue: make(chan *types.Envelope, maxQueued), done: make(chan struct{}),
		closing: make(chan struct{})}
	go q.run()
	return q
}

// Publish queues a report. It is dropped if thousands are waiting, or after Close.
func (q *Queue) Publish(topic string, event proto.Message) {
	body, err := typeurl.MarshalAnyToProto(event)
	if err != nil {
		return // events are types of containerd's, which are registered
	}
	select {
	case q.queue <- &types.Envelope{Timestamp: timestamppb.Now(), Namespace: q.namespace,
		Topic: topic, Event: body}:
	default:
	}
}

// Close sends the queued reports, without waiting for a containerd that is down.
func (q *Queue) Close() {
	q.closeOnce.Do(func() { close(q.closing) })
	<-q.done
}

func (q *Queue) run() {
	defer close(q.done)
	defer q.disconnect()
	for {
		select {
		case e := <-q.queue:
			q.deliver(e)
		case <-q.closing:
			for range len(q.queue) {
				q.deliver(<-q.queue)
			}
			return
		}
	}
}

// deliver sends a report, and tries for minutes unless the queue is being closed.
func (q *Queue) deliver(e *types.Envelope) {
	for try := 0; try < maxTries && q.send(e) != nil; try++ {
		select {
		case <-time.After(pause):
		case <-q.closing:
			try = max(try, maxTries-2) // one more
		}
	}
}

func (q *Queue) send(e *types.Envelope) error {
	if q.client == nil {
		conn, err := net.DialTimeout("unix", q.address, callTimeout)
		if err != nil {
			return err
		}
		q.client = ttrpc.NewClient(conn)
	}
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	ctx = ttrpc.WithMetadata(ctx, ttrpc.MD{"containerd-namespace-ttrpc": {q.namespace}})
	_, err := api.NewTTRPCEventsClient(q.client).Forward(ctx, &api.ForwardRequest{Envelope: e})
	if err != nil {
		q.disconnect()
	}
	return err
}

func (q *Queue) disconnect() {
	if q.client != nil {
		q.client.Close()
		q.client = nil
	}
}
