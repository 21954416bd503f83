package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/wasport/wasport"
)

// stackPatience is how long a thread that computes may take to tell its stack. It takes longer than
// some microseconds only if it has no turn on the processor.
const stackPatience = time.Second

// printStacksOnQuit prints the states of the guest's threads at each SIGQUIT, until stop is called.
// The guest goes on. noInterrupt says that its threads tell no stacks.
func printStacksOnQuit(guest *wasport.Guest, noInterrupt bool) (stop func()) {
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-quit:
				printStacks(guest, noInterrupt)
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(quit)
		close(done)
	}
}

func printStacks(guest *wasport.Guest, noInterrupt bool) {
	patience, noStack := stackPatience, "computes"
	if noInterrupt {
		patience, noStack = 0, "computes; it has no stack to show because of --no-interrupt"
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, t := range guest.ThreadStates(ctx) {
		switch {
		case t.Call != "":
			printThread(t, "is in "+t.Call)
		case t.Stack == "":
			printThread(t, noStack)
		default:
			printThread(t, "computes"+formatStack(t.Stack))
		}
	}
}

func printThread(t wasport.ThreadState, does string) {
	printStderr(fmt.Sprintf("wasport: thread %d %s\n", t.Number, does))
}
