package interrupt

// code is a sequence of instructions in the making.
type code []byte

func (c *code) op(b ...byte) { *c = append(*c, b...) }

// index appends an opcode whose immediate is an index.
func (c *code) index(op byte, i uint32) { *c = appendU32(append(*c, op), i) }

func (c *code) i32(v int32) { *c = appendS32(append(*c, opI32Const), v) }

func (c *code) i64(v int32) { *c = appendS32(append(*c, opI64Const), v) }
