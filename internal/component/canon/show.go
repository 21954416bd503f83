package canon

// Shown is what a trace shows of a call. Handles in it are the caller's indices. Args has the
// arguments up to the first that is not valid.
type Shown struct {
	Args    []Value
	lowered *Lowered
	place   uint32
	// held is Guest.held from before.
	held int
}

// Show reads the arguments of a call, which has no effect on handles.
func (l *Lowered) Show(stack []uint64) Shown {
	s := Shown{lowered: l, held: l.Options.Instance.guest.held}
	if l.Signature.resultInMemory {
		s.place = uint32(stack[l.Signature.flatParams])
	}
	lift := newLifter(&l.Options)
	lift.shows = true
	if l.Signature.paramsInMemory {
		t := l.Signature.params
		if checkRange(lift.mem, uint32(stack[0]), t.Size(), t.Align()) != nil {
			return s
		}
	}
	_ = lift.params(l.Signature, stack) // An error is the call's.
	s.Args = lift.args
	return s
}

// Release gives back the memory of the values, which are dead from then on.
func (s *Shown) Release() { s.lowered.Options.Instance.guest.release(s.held) }

// Result reads the result after the call, which has returned without an error. The slice has one
// element, or none if the result is not valid.
func (s *Shown) Result(stack []uint64) []Value {
	sig := s.lowered.Signature
	lift := newLifter(&s.lowered.Options)
	lift.shows = true
	var v Value
	var err error
	if sig.resultInMemory {
		v, err = lift.load(sig.Func.Result, s.place)
	} else {
		v, err = lift.flat(sig.Func.Result, &flats{stack: stack})
	}
	if err != nil {
		return nil
	}
	return []Value{v}
}
