package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signalled is why a guest ended that a signal ended.
type signalled struct{ syscall.Signal }

func (s signalled) Error() string { return "ended by signal: " + s.Signal.String() }

// untilSignal is a context that the first SIGINT or SIGTERM ends, with a signalled as its cause. A
// second one ends the process at once.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	received := make(chan os.Signal, 1)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case s := <-received:
			signal.Stop(received)
			cancel(signalled{s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(received)
		cancel(nil)
	}
}
