package interrupt

// An immediateKind is the kind of the immediates that follow an opcode.
type immediateKind uint8

const (
	immUnknown immediateKind = iota
	immNone
	immControl
	immBlockType
	immLabel
	immLabels
	immFunc
	immCallIndirect
	immRefFunc
	immLocal
	immGlobal
	immTable
	immMemory
	immMemArg
	immS32
	immS64
	immBytes4
	immBytes8
	immTypes
	immHeapType
	immPrefix
)

const (
	opUnreachable        = 0x00
	opBlock              = 0x02
	opLoop               = 0x03
	opIf                 = 0x04
	opElse               = 0x05
	opEnd                = 0x0b
	opBr                 = 0x0c
	opBrIf               = 0x0d
	opBrTable            = 0x0e
	opReturn             = 0x0f
	opCall               = 0x10
	opCallIndirect       = 0x11
	opReturnCall         = 0x12
	opReturnCallIndirect = 0x13
	opDrop               = 0x1a
	opSelect             = 0x1b
	opLocalGet           = 0x20
	opLocalSet           = 0x21
	opLocalTee           = 0x22
	opGlobalGet          = 0x23
	opGlobalSet          = 0x24
	opMemorySize         = 0x3f
	opMemoryGrow         = 0x40
	opI32Const           = 0x41
	opI64Const           = 0x42
	opI32Eqz             = 0x45
	opI32Eq              = 0x46
	opI32GtU             = 0x4b
	opI32LeU             = 0x4d
	opI32GeS             = 0x4e
	opI32GeU             = 0x4f
	opI64GtU             = 0x56
	opF64Ge              = 0x66
	opI32Add             = 0x6a
	opI32Sub             = 0x6b
	opI32Or              = 0x72
	opI32ShrU            = 0x76
	opI64Add             = 0x7c
	opI64Shl             = 0x86
	opI64Or              = 0x84
	opI64ExtendI32U      = 0xad
	opI32ReinterpretF32  = 0xbc
	opI64ReinterpretF64  = 0xbd
	opF32ReinterpretI32  = 0xbe
	opF64ReinterpretI64  = 0xbf
	opRefNull            = 0xd0
	opRefFunc            = 0xd2
	opMisc               = 0xfc
	opVector             = 0xfd
	opAtomic             = 0xfe
)

const (
	blockVoid = 0x40
	typeI32   = 0x7f
	typeI64   = 0x7e
	typeF32   = 0x7d
	typeF64   = 0x7c
)

// immediateKinds are the immediates of the opcodes of one byte. Source: WebAssembly Core
// Specification 2.0, section 5.4, and the tail call proposal.
var immediateKinds = func() (t [256]immediateKind) {
	set := func(k immediateKind, from, to int) {
		for i := from; i <= to; i++ {
			t[i] = k
		}
	}
	set(immControl, opUnreachable, opUnreachable)
	set(immNone, 0x01, 0x01) // nop
	set(immBlockType, opBlock, opIf)
	set(immControl, opElse, opElse)
	set(immControl, opEnd, opEnd)
	set(immLabel, opBr, opBrIf)
	set(immLabels, opBrTable, opBrTable)
	set(immControl, opReturn, opReturn)
	set(immFunc, opCall, opCall)
	set(immCallIndirect, opCallIndirect, opCallIndirect)
	set(immFunc, opReturnCall, opReturnCall)
	set(immCallIndirect, opReturnCallIndirect, opReturnCallIndirect)
	set(immNone, 0x1a, 0x1b) // drop, select
	set(immTypes, 0x1c, 0x1c)
	set(immLocal, opLocalGet, opLocalTee)
	set(immGlobal, opGlobalGet, opGlobalSet)
	set(immTable, 0x25, 0x26)
	set(immMemArg, 0x28, 0x3e)
	set(immMemory, opMemorySize, opMemoryGrow)
	set(immS32, opI32Const, opI32Const)
	set(immS64, opI64Const, opI64Const)
	set(immBytes4, 0x43, 0x43)
	set(immBytes8, 0x44, 0x44)
	set(immNone, 0x45, 0xc4) // numeric
	set(immHeapType, opRefNull, opRefNull)
	set(immNone, 0xd1, 0xd1) // ref.is_null
	set(immRefFunc, opRefFunc, opRefFunc)
	set(immPrefix, opMisc, opAtomic)
	return t
}()
