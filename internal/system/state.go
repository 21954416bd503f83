package system

import (
	"cmp"
	"context"
	"slices"
)

// ThreadState is the state of a thread of a guest.
type ThreadState struct {
	// Number is 0 for the first thread, and counts the others in the order of their start.
	Number int

	// Call is the name of the import that the thread is in, or empty.
	Call string

	// Stack lists the active functions of a thread that computes, as the engine tells them. It is
	// empty for a thread that is in an import, and for one that has not told it.
	Stack string
}

// ThreadStates returns the states of the guest's threads, in the order of their numbers. A thread
// that computes tells its stack at its next tick; ThreadStates waits for that until ctx ends.
func (g *Guest) ThreadStates(ctx context.Context) []ThreadState {
	g.mu.Lock()
	told := make(map[*Thread]chan string, len(g.threads))
	for _, t := range g.threads {
		told[t] = nil
		if t.currentImport.get() == nil {
			told[t] = make(chan string, 1)
			t.stackWanted.Store(&stackRequest{told[t], t.stackWanted.Load()})
		}
	}
	g.mu.Unlock()
	var states []ThreadState
	for t, stack := range told {
		states = append(states, t.state(ctx, stack))
	}
	slices.SortFunc(states, func(a, b ThreadState) int { return cmp.Compare(a.Number, b.Number) })
	return states
}

// state waits for the thread's stack if it was asked for one.
func (t *Thread) state(ctx context.Context, told <-chan string) ThreadState {
	state := ThreadState{Number: t.number}
	if told != nil {
		select {
		case state.Stack = <-told:
			return state
		case <-t.ctx.Done():
		case <-ctx.Done():
		}
	}
	if name := t.currentImport.get(); name != nil {
		state.Call = *name
	}
	return state
}

// A stackRequest takes the stack of a thread. Next is another request, or nil.
type stackRequest struct {
	told chan<- string
	next *stackRequest
}

// StackWanted reports whether the thread is to call TellStack.
func (t *Thread) StackWanted() bool { return t.stackWanted.Load() != nil }

// TellStack answers the requests.
func (t *Thread) TellStack(stack string) {
	for r := t.stackWanted.Swap(nil); r != nil; r = r.next {
		select {
		case r.told <- stack:
		default: // It was answered before.
		}
	}
}
