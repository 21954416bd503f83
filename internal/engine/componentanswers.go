package engine

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/component/link"
	"github.com/wasport/wasport/internal/shortcut"
	"github.com/wasport/wasport/internal/wasi2"
)

// answers is a core instance that answers in place of the host, see link.AnswersHandle. It knows
// one handle: the stream that the component instance has written to with its last call of the host.
// Any other call, and any call of the host into the guest, comes after forgetReady. So nothing can
// have changed the state of the stream, the meaning of the handle or the guest's leave to call.
type answers struct {
	core          int // Index in componentGuest.cores.
	handle, asked api.MutableGlobal

	// known is the handle that was set last.
	known uint32
}

// answersFor returns the answers of the component instance that lowered a function, or nil if the
// function is no write, or nothing is answered. A guest that is traced makes each call.
func (g *componentGuest) answersFor(h *link.Host) *answers {
	core := g.program.Components[h.Component].Answers
	if core < 0 || core >= len(g.cores) || g.inst.trace != nil ||
		!wasi2.IsWrite(h.Interface, h.Func) || !g.inst.sys.Takes(shortcut.StreamAnswers) {
		return nil
	}
	for _, a := range g.answers {
		if a.core == core {
			return a
		}
	}
	mod := g.cores[core].module
	a := &answers{core: core}
	a.handle, _ = mod.ExportedGlobal(link.AnswersHandle).(api.MutableGlobal)
	a.asked, _ = mod.ExportedGlobal(link.AnswersAsked).(api.MutableGlobal)
	g.answers = append(g.answers, a)
	return a
}

// forgetReady is called before all that could change the answers.
func (g *componentGuest) forgetReady() {
	if g.ready != nil {
		g.ready.forget(g)
	}
}

func (a *answers) forget(g *componentGuest) {
	a.takeAsked(g)
	a.handle.Set(link.NoHandle)
	g.ready = nil
}

// takeAsked tells the stream of a check-write that the guest has answered.
func (a *answers) takeAsked(g *componentGuest) {
	if a.asked.Get() != 0 {
		a.asked.Set(0)
		g.host.PermitWrite()
	}
}

// write calls the host's write. The guest knows the answers for the stream afterwards if it is
// ready.
func (a *answers) write(
	ctx context.Context, g *componentGuest, write *canon.Lowered, stack []uint64,
) error {
	handle := uint32(stack[0])
	if g.ready == a && a.known == handle {
		a.takeAsked(g)
	} else {
		g.forgetReady()
	}
	if err := write.Call(ctx, stack); err != nil {
		return err // The guest is at its end.
	}
	switch answerable := g.host.Answerable(); {
	case !answerable:
		g.forgetReady()
	case g.ready == nil:
		a.known = handle
		a.handle.Set(uint64(handle))
		g.ready = a
	}
	return nil
}
