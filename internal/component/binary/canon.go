package binary

// canon reads a canonical definition.
// Source: component model, Binary.md, "Canonical Definitions".
func (r *reader) canon() *Canon {
	c := &Canon{Pos: Pos(r.offset()), Options: Options{Memory: -1, Realloc: -1, PostReturn: -1}}
	kind := r.byte()
	if kind <= 1 {
		if b := r.byte(); b != 0 {
			r.malformed("%#x in place of 0 in a canonical definition", b)
		}
	}
	switch kind {
	case 0:
		c.Kind, c.Func = Lift, r.u32()
		r.options(&c.Options)
		c.Type = r.u32()
	case 1:
		c.Kind, c.Func = Lower, r.u32()
		r.options(&c.Options)
	case 2:
		c.Kind, c.Type = ResourceNew, r.u32()
	case 3:
		c.Kind, c.Type = ResourceDrop, r.u32()
	case 4:
		c.Kind, c.Type = ResourceRep, r.u32()
	default:
		r.pos--
		if kind <= 0x2d || kind >= 0x40 && kind <= 0x42 {
			r.unsupported("built-in functions of WASI 0.3")
		}
		r.malformed("unknown canonical definition %#x", kind)
	}
	return c
}

func (r *reader) options(o *Options) {
	encoded := false
	vector(r, 1, func() struct{} {
		switch kind := r.byte(); kind {
		case 0, 1, 2:
			if encoded {
				r.fail(Invalid, "a second encoding of strings")
			}
			encoded, o.Encoding = true, Encoding(kind)
		case 3:
			r.option(&o.Memory, "memory")
		case 4:
			r.option(&o.Realloc, "realloc")
		case 5:
			r.option(&o.PostReturn, "post-return")
		case 6, 7:
			r.unsupported("async functions of WASI 0.3")
		default:
			r.malformed("unknown canonical option %#x", kind)
		}
		return struct{}{}
	})
}

func (r *reader) option(index *int64, name string) {
	if *index >= 0 {
		r.fail(Invalid, "a second option %s", name)
	}
	*index = int64(r.u32())
}
