package link

import (
	"strconv"

	"github.com/wasport/wasport/internal/component/wit"
)

// A component that sends small pieces calls check-write, write and flush for each, and a way out of
// compiled code costs more than the work of the host for the two around write. Their results are
// known while a stream takes all that is written to it. So the planner puts a small core module of
// its own between such functions of the host and the core modules that import them: the answers of
// a component instance. It answers for the one handle in its global AnswersHandle, and calls the
// host for all others. It has the memory that the functions were lowered with, which exists by
// then, and is planned where the first of them is imported. Functions that are lowered later, with
// another memory, or beyond a limit go to the host as all others do.

const (
	// AnswersHandle is the export with the handle: a mutable i64, NoHandle for none.
	AnswersHandle = "handle"

	// AnswersAsked is the export that is not 0 once a function with a payload has answered: a
	// mutable i32.
	AnswersAsked = "asked"

	// NoHandle is no handle, since those have 32 bits.
	NoHandle = ^uint64(0)
)

// AnswersModule is the name of such modules. Their functions have frames in stack traces.
const AnswersModule = "wasport:answers"

const (
	// maxAnswers is how many core instances may be made for answers, besides those that the
	// component makes.
	maxAnswers = 8

	// maxAnswered is how many functions one answers.
	maxAnswered = 16

	// answeredFor is the interface without which a component has no streams that can be answered
	// for.
	answeredFor = "wasi:sockets/tcp"
)

// An answered is a function of the host that a guest can answer.
type answered struct {
	host   int // In Program.Hosts.
	number uint64
	result *wit.Type
}

// canAnswer notes a function of the host that was lowered if the guest can answer it.
func (c *component) canAnswer(host int) {
	h := &c.Hosts[host]
	if h.Kind != HostImport || h.Options.Memory == nil || c.Components[c.index].Answers >= 0 ||
		len(c.answered) == maxAnswered {
		return
	}
	number, ok := c.world.Answer(h.Interface, h.Func)
	if !ok || !canBeAnswered(h.Type) || len(c.answered) > 0 &&
		*c.Hosts[c.answered[0].host].Options.Memory != *h.Options.Memory {
		return
	}
	c.answered = append(c.answered, answered{host, number, h.Type.Result})
}

// answer replaces the origins of imports that are functions which the guest can answer.
func (c *component) answer(origins []CoreItem, offset int) error {
	for i, o := range origins {
		if o.Core >= 0 || !c.answers(o.Host) {
			continue
		}
		if c.Components[c.index].Answers < 0 {
			if made, err := c.makeAnswers(offset); !made || err != nil {
				return err
			}
		}
		origins[i] = CoreItem{Core: c.Components[c.index].Answers, Name: strconv.Itoa(o.Host),
			Host: -1}
	}
	return nil
}

func (c *component) answers(host int) bool {
	for _, a := range c.answered {
		if a.host == host {
			return true
		}
	}
	return false
}

// makeAnswers adds the core instance for answers, unless there are too many or it is not worth it.
func (c *component) makeAnswers(offset int) (bool, error) {
	if c.numAnswers == maxAnswers || !c.imports(answeredFor) {
		c.answered = nil
		return false, nil
	}
	c.numAnswers++
	c.Modules = append(c.Modules, answersModule(c.Hosts, c.answered))
	c.Cores = append(c.Cores, Core{len(c.Modules) - 1, c.index})
	c.Components[c.index].Answers = len(c.Cores) - 1
	return true, c.step(StepCore, len(c.Cores)-1, offset)
}

// imports reports whether the root imports a function of an interface.
func (p *planner) imports(iface string) bool {
	for i := range p.Imports {
		if name, _ := splitVersion(p.Imports[i].Interface); name == iface {
			return true
		}
	}
	return false
}
