package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/containerd/ttrpc"
	"golang.org/x/sys/unix"

	"github.com/wasport/wasport/contrib/containerd/internal/events"
	"github.com/wasport/wasport/contrib/containerd/internal/task"
)

// listenerFD is the descriptor of the socket.
const listenerFD = 3

// farewell bounds how long the last answers may take to be read.
const farewell = 3 * time.Second

// Serve serves the containers of a pod until the last one has ended.
func Serve(f *Flags) error {
	log := openLog(f.Bundle)
	if err := os.Chdir("/"); err != nil {
		return err
	}
	// A terminal or a process group is no reason to end; containers and containerd are.
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE)
	file := os.NewFile(listenerFD, "listener")
	l, err := net.FileListener(file)
	file.Close()
	if err != nil {
		return err
	}
	socket := l.Addr().String()
	server, err := ttrpc.NewServer(ttrpc.WithServerHandshaker(ttrpc.UnixSocketRequireSameUser()))
	if err != nil {
		return err
	}
	queue := events.New(f.Namespace, eventAddress(f.Address))
	var service *task.Service
	var once sync.Once
	ended := make(chan struct{})
	service = task.New(f.native(), queue, func() {
		held, err := lock(socket)
		if err != nil {
			log.Error("end", "error", err)
			return
		}
		defer held.Close()
		if service.Empty() {
			once.Do(func() { os.Remove(socket); close(ended) })
		}
	})
	service.Register(server)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(context.Background(), l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ended:
	}
	queue.Close()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		log.Error("end", "error", err)
	}
	return nil
}

// eventAddress is where containerd takes events.
func eventAddress(address string) string {
	if a := os.Getenv("TTRPC_ADDRESS"); a != "" {
		return a
	}
	return strings.TrimPrefix(address, "unix://") + ".ttrpc"
}

// openLog opens the FIFO that containerd copies into its own log. Nothing is written if nobody
// reads it.
func openLog(bundle string) *slog.Logger {
	f, err := os.OpenFile(filepath.Join(bundle, "log"), os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(f, nil)).With("shim", Name)
}
