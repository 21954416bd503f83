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

// notifyQuit receives SIGQUIT. It is called before the guest starts, which may print something at
// once: until then the signal ends the process.
func notifyQuit() chan os.Signal {
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT)
	return quit
}

// printStacksOnQuit prints the states of the guest's threads at each signal of quit, until done is
// closed. The guest goes on. noInterrupt says that its threads tell no stacks.
func printStacksOnQuit(quit <-chan os.Signal, guest *wasport.Guest, noInterrupt bool,
	done <-chan struct{}) {
	for {
		select {
		case <-quit:
			printStacks(guest, noInterrupt)
		case <-done:
			return
		}
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
	printMessage(fmt.Sprintf("thread %d %s", t.Number, does))
}
