package link

import (
	"strconv"

	"github.com/wasport/wasport/internal/component/binary"
	"github.com/wasport/wasport/internal/component/wit"
)

// The parts of the binary format that the module for answers has.
// Source: WebAssembly Core Specification 2.0, section 5.
const (
	secCustom, secType, secImport, secFunction  = 0, 1, 2, 3
	secGlobal, secExport, secCode, secNameFuncs = 6, 7, 10, 1

	kindFunc, kindMemory, kindGlobal, mutable = 0, 2, 3, 1

	opIf, opElse, opEnd, opCall, void                   = 0x04, 0x05, 0x0b, 0x10, 0x40
	opLocalGet, opGlobalGet, opGlobalSet                = 0x20, 0x23, 0x24
	opI64Store, opI32Store8, opMemorySize               = 0x37, 0x3a, 0x3f
	opI32Const, opI64Const, opI32Eqz, opI64Eq, opI64LeU = 0x41, 0x42, 0x45, 0x51, 0x58
	opI32And, opI64Add, opI64Shl, opI64ExtendI32U       = 0x71, 0x7c, 0x86, 0xad

	pageBits = 16

	globalHandle, globalAsked = 0, 1
	paramHandle, paramPlace   = 0, 1
	align1, align8            = 0, 3 // As powers of two.
)

// answersModule makes the module for functions of the host, of the type (handle, place i32) -> ().
// It exports each by its number in Program.Hosts.
func answersModule(hosts []Host, list []answered) Module {
	n := uint32(len(list))
	memory := hosts[list[0].host].Options.Memory
	imports := appendU32(nil, n+1)
	imports = append(appendName(appendName(imports, CoreModuleName(memory.Core)), memory.Name),
		kindMemory, 0, 0)
	exports := appendU32(nil, n+2)
	exports = append(appendName(exports, AnswersHandle), kindGlobal, globalHandle)
	exports = append(appendName(exports, AnswersAsked), kindGlobal, globalAsked)
	functions, bodies, names := appendU32(nil, n), appendU32(nil, n), appendU32(nil, n)
	for i := range n {
		a := &list[i]
		number := strconv.Itoa(a.host)
		imports = append(appendName(appendName(imports, HostModule), number), kindFunc, 0)
		functions = append(functions, 0)
		exports = appendU32(append(appendName(exports, number), kindFunc), n+i)
		body := answerBody(a, i)
		bodies = append(appendU32(bodies, uint32(len(body))), body...)
		names = appendName(appendU32(names, n+i), hosts[a.host].Func)
	}
	i32, i64 := byte(binary.I32), byte(binary.I64)
	b := append([]byte("\x00asm\x01\x00\x00\x00"),
		secType, 6, 1, 0x60, 2, i32, i32, 0)
	b = appendSection(b, secImport, imports)
	b = appendSection(b, secFunction, functions)
	b = appendSection(b, secGlobal, []byte{2,
		i64, mutable, opI64Const, 0x7f, opEnd, // NoHandle
		i32, mutable, opI32Const, 0, opEnd})
	b = appendSection(b, secExport, exports)
	b = appendSection(b, secCode, bodies)
	b = appendSection(b, secCustom, appendSection(appendName(nil, "name"), secNameFuncs, names))
	return Module{Binary: b, Name: AnswersModule, Answers: true, Code: len(bodies)}
}

// answerBody is the function in front of the host's function number host. It answers if the handle
// is the one in the global and the result's place is aligned and in the memory. Otherwise the host
// does, or traps.
func answerBody(a *answered, host uint32) []byte {
	b := []byte{0, opLocalGet, paramHandle, opI64ExtendI32U, opGlobalGet, globalHandle, opI64Eq,
		opLocalGet, paramPlace, opI32Const}
	b = append(appendS64(b, int64(a.result.Align()-1)), opI32And, opI32Eqz, opI32And,
		opLocalGet, paramPlace, opI64ExtendI32U, opI64Const)
	b = append(appendS64(b, int64(a.result.Size())), opI64Add,
		opMemorySize, 0, opI64ExtendI32U, opI64Const, pageBits, opI64Shl, opI64LeU, opI32And,
		opIf, void, opLocalGet, paramPlace, opI32Const, 0, opI32Store8, align1, 0)
	if a.result.Ok() != nil {
		b = append(b, opLocalGet, paramPlace, opI64Const)
		b = append(appendS64(b, int64(a.number)), opI64Store, align8)
		b = append(appendU32(b, a.result.PayloadOffset()),
			opI32Const, 1, opGlobalSet, globalAsked)
	}
	b = append(b, opElse, opLocalGet, paramHandle, opLocalGet, paramPlace, opCall)
	return append(appendU32(b, host), opEnd, opEnd)
}

func appendSection(b []byte, id byte, body []byte) []byte {
	return append(appendU32(append(b, id), uint32(len(body))), body...)
}

// appendS64 appends a number in signed LEB128.
func appendS64(b []byte, v int64) []byte {
	for v < -0x40 || v >= 0x40 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}

// canBeAnswered reports whether answerBody can write a result: ok without a payload, or with one of
// 64 bits.
func canBeAnswered(f *wit.Func) bool {
	r := f.Result
	return r != nil && r.Kind() == wit.KindResult && f.ResultInMemory() && f.FlatParams() == 1 &&
		(r.Ok() == nil || r.Ok().Kind() == wit.KindU64)
}
