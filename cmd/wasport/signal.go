package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signalError is the cause of a run's end by a signal.
type signalError struct{ syscall.Signal }

func (s signalError) Error() string { return "ended by signal: " + s.Signal.String() }

// withSignals returns a context that the first SIGINT or SIGTERM cancels, with a signalError as its
// cause. A second signal has its default action and ends the process (signal(7)).
func withSignals(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	received := make(chan os.Signal, 1)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case s := <-received:
			signal.Stop(received)
			cancel(signalError{s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(received)
		cancel(nil)
	}
}
