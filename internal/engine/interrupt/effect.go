package interrupt

// An effect is the effect of an instruction on the operand stack: the number of operands that it
// pops, and the size of the one that it pushes, in bytes of machine code's stack. Size 0 means that
// it pushes none.
type effect struct{ pops, pushes uint8 }

const (
	scalarSize = 8
	vectorSize = 16
)

type effectRange struct {
	from, to int
	effect
}

func effects(ranges ...effectRange) (t [256]effect) {
	for _, r := range ranges {
		for i := r.from; i <= r.to; i++ {
			t[i] = r.effect
		}
	}
	return t
}

var (
	constantOf = effect{0, scalarSize}
	unary      = effect{1, scalarSize}
	binary     = effect{2, scalarSize}
	ternary    = effect{3, scalarSize}
	store      = effect{2, 0}
	bulk       = effect{3, 0}

	vectorConstant = effect{0, vectorSize}
	vectorUnary    = effect{1, vectorSize}
	vectorBinary   = effect{2, vectorSize}
	vectorTernary  = effect{3, vectorSize}
)

// plainEffects are the effects of the opcodes of one byte that depend neither on types nor on
// immediates. Source: WebAssembly Core Specification 2.0, section 5.4.
var plainEffects = effects(
	effectRange{0x1a, 0x1a, effect{1, 0}}, // drop
	effectRange{0x25, 0x25, unary},        // table.get
	effectRange{0x26, 0x26, store},        // table.set
	effectRange{0x28, 0x35, unary},        // loads
	effectRange{0x36, 0x3e, store},
	effectRange{0x3f, 0x3f, constantOf}, // memory.size
	effectRange{0x40, 0x40, unary},      // memory.grow
	effectRange{0x41, 0x44, constantOf},
	effectRange{0x45, 0x45, unary}, // i32.eqz
	effectRange{0x46, 0x4f, binary},
	effectRange{0x50, 0x50, unary}, // i64.eqz
	effectRange{0x51, 0x66, binary},
	effectRange{0x67, 0x69, unary}, // i32.clz, ctz, popcnt
	effectRange{0x6a, 0x78, binary},
	effectRange{0x79, 0x7b, unary}, // i64.clz, ctz, popcnt
	effectRange{0x7c, 0x8a, binary},
	effectRange{0x8b, 0x91, unary}, // f32.abs to sqrt
	effectRange{0x92, 0x98, binary},
	effectRange{0x99, 0x9f, unary}, // f64.abs to sqrt
	effectRange{0xa0, 0xa6, binary},
	effectRange{0xa7, 0xc4, unary}, // conversions
	effectRange{0xd0, 0xd0, constantOf},
	effectRange{0xd1, 0xd1, unary}, // ref.is_null
	effectRange{0xd2, 0xd2, constantOf},
)

// miscEffects are the effects of the opcodes after 0xfc.
var miscEffects = effects(
	effectRange{0, 7, unary},    // saturating truncation
	effectRange{8, 8, bulk},     // memory.init
	effectRange{10, 12, bulk},   // memory.copy, memory.fill, table.init
	effectRange{14, 14, bulk},   // table.copy
	effectRange{15, 15, binary}, // table.grow
	effectRange{16, 16, constantOf},
	effectRange{17, 17, bulk}, // table.fill
)

// vectorEffects are the effects of the opcodes after 0xfd.
var vectorEffects = effects(
	effectRange{0, 10, vectorUnary}, // loads
	effectRange{11, 11, store},
	effectRange{12, 12, vectorConstant},
	effectRange{13, 14, vectorBinary}, // shuffle, swizzle
	effectRange{15, 20, vectorUnary},  // splats
	effectRange{21, 22, unary},        // lanes, taken and replaced
	effectRange{23, 23, vectorBinary},
	effectRange{24, 25, unary},
	effectRange{26, 26, vectorBinary},
	effectRange{27, 27, unary},
	effectRange{28, 28, vectorBinary},
	effectRange{29, 29, unary},
	effectRange{30, 30, vectorBinary},
	effectRange{31, 31, unary},
	effectRange{32, 32, vectorBinary},
	effectRange{33, 33, unary},
	effectRange{34, 76, vectorBinary}, // replace_lane, comparisons
	effectRange{77, 77, vectorUnary},  // not
	effectRange{78, 81, vectorBinary},
	effectRange{82, 82, vectorTernary}, // bitselect
	effectRange{83, 83, unary},         // any_true
	effectRange{84, 87, vectorBinary},  // loads of a lane
	effectRange{88, 91, store},
	effectRange{92, 98, vectorUnary}, // loads with zeros, conversions, i8x16.abs to popcnt
	effectRange{99, 100, unary},      // all_true, bitmask
	effectRange{101, 102, vectorBinary},
	effectRange{103, 106, vectorUnary}, // f32x4.ceil to nearest
	effectRange{107, 115, vectorBinary},
	effectRange{116, 117, vectorUnary}, // f64x2.ceil, floor
	effectRange{118, 121, vectorBinary},
	effectRange{122, 122, vectorUnary}, // f64x2.trunc
	effectRange{123, 123, vectorBinary},
	effectRange{124, 129, vectorUnary}, // extadd_pairwise, i16x8.abs, neg
	effectRange{130, 130, vectorBinary},
	effectRange{131, 132, unary},
	effectRange{133, 134, vectorBinary},
	effectRange{135, 138, vectorUnary}, // i16x8.extend
	effectRange{139, 147, vectorBinary},
	effectRange{148, 148, vectorUnary}, // f64x2.nearest
	effectRange{149, 159, vectorBinary},
	effectRange{160, 162, vectorUnary}, // i32x4.abs, neg
	effectRange{163, 164, unary},
	effectRange{165, 166, vectorBinary},
	effectRange{167, 170, vectorUnary}, // i32x4.extend
	effectRange{171, 191, vectorBinary},
	effectRange{192, 194, vectorUnary}, // i64x2.abs, neg
	effectRange{195, 196, unary},
	effectRange{197, 198, vectorBinary},
	effectRange{199, 202, vectorUnary}, // i64x2.extend
	effectRange{203, 223, vectorBinary},
	effectRange{224, 227, vectorUnary}, // f32x4.abs, neg, sqrt
	effectRange{228, 235, vectorBinary},
	effectRange{236, 239, vectorUnary}, // f64x2.abs, neg, sqrt
	effectRange{240, 247, vectorBinary},
	effectRange{248, 255, vectorUnary}, // conversions
)

// atomicEffects are the effects of the opcodes after 0xfe. Source: the threads proposal.
var atomicEffects = effects(
	effectRange{0, 0, binary},  // notify
	effectRange{1, 2, ternary}, // wait
	effectRange{0x10, 0x16, unary},
	effectRange{0x17, 0x1d, store},
	effectRange{0x1e, 0x47, binary},
	effectRange{0x48, 0x4e, ternary}, // cmpxchg
)

// valueSize is the size of a value of a type, in bytes.
func valueSize(valueType byte) uint8 {
	if valueType == 0x7b {
		return vectorSize
	}
	return scalarSize
}

// prefixedEffects returns the effects of the opcodes after a prefix.
func prefixedEffects(op byte) *[256]effect {
	switch op {
	case opMisc:
		return &miscEffects
	case opVector:
		return &vectorEffects
	default:
		return &atomicEffects
	}
}
