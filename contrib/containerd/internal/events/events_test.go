package events

import (
	"context"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/containerd/containerd/api/events"
	api "github.com/containerd/containerd/api/services/ttrpc/events/v1"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// receiver sends the topics of the events that it gets.
type receiver chan string

func (r receiver) Forward(_ context.Context, f *api.ForwardRequest) (*emptypb.Empty, error) {
	r <- f.Envelope.Namespace + f.Envelope.Topic
	return &emptypb.Empty{}, nil
}

func serve(t *testing.T, path string) receiver {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	r := make(receiver, 10)
	api.RegisterTTRPCEventsService(server, r)
	go server.Serve(context.Background(), l)
	t.Cleanup(func() { server.Close() })
	return r
}

// TestEventsWaitForContainerd publishes before there is a containerd.
func TestEventsWaitForContainerd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	q := New("ns", "unix://"+path)
	want := []string{"ns/tasks/create", "ns/tasks/start", "ns/tasks/exit"}
	for _, topic := range want {
		q.Publish(topic[2:], &events.TaskStart{ContainerID: "c"})
	}
	r := serve(t, path)
	var got []string
	for range want {
		got = append(got, <-r)
	}
	q.Close()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCloseSendsTheRest closes a queue with events, and one without a containerd.
func TestCloseSendsTheRest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	r := serve(t, path)
	q := New("ns", path)
	q.Publish("/tasks/delete", &events.TaskDelete{})
	q.Close()
	if got := <-r; got != "ns/tasks/delete" {
		t.Errorf("got %q, want the event", got)
	}
	q.Publish("/tasks/delete", &events.TaskDelete{}) // is dropped
	alone := New("ns", filepath.Join(t.TempDir(), "missing"))
	alone.Publish("/tasks/delete", &events.TaskDelete{})
	before := time.Now()
	alone.Close()
	if took := time.Since(before); took > maxTries*pause/2 {
		t.Errorf("got %v to close without a containerd, want much less than %v", took,
			maxTries*pause)
	}
}
