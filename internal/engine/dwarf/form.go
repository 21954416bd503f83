package dwarf

// The tags and attributes that lines need. Source: DWARF 5, section 7.5.
const (
	tagCompileUnit       = 0x11
	tagInlinedSubroutine = 0x1d

	attrName           = 0x03
	attrStmtList       = 0x10
	attrLowPC          = 0x11
	attrHighPC         = 0x12
	attrCompDir        = 0x1b
	attrAbstractOrigin = 0x31
	attrSpecification  = 0x47
	attrRanges         = 0x55
	attrCallColumn     = 0x57
	attrCallFile       = 0x58
	attrCallLine       = 0x59
	attrStrOffsetsBase = 0x72
	attrAddrBase       = 0x73
	attrRnglistsBase   = 0x74
)

// The forms of attributes' values. Source: DWARF 5, section 7.5.6.
const (
	formAddr          = 0x01
	formBlock2        = 0x03
	formBlock4        = 0x04
	formData2         = 0x05
	formData4         = 0x06
	formData8         = 0x07
	formString        = 0x08
	formBlock         = 0x09
	formBlock1        = 0x0a
	formData1         = 0x0b
	formFlag          = 0x0c
	formSdata         = 0x0d
	formStrp          = 0x0e
	formUdata         = 0x0f
	formRefAddr       = 0x10
	formRef1          = 0x11
	formRef2          = 0x12
	formRef4          = 0x13
	formRef8          = 0x14
	formRefUdata      = 0x15
	formIndirect      = 0x16
	formSecOffset     = 0x17
	formExprloc       = 0x18
	formFlagPresent   = 0x19
	formStrx          = 0x1a
	formAddrx         = 0x1b
	formRefSup4       = 0x1c
	formStrpSup       = 0x1d
	formData16        = 0x1e
	formLineStrp      = 0x1f
	formRefSig8       = 0x20
	formImplicitConst = 0x21
	formLoclistx      = 0x22
	formRnglistx      = 0x23
	formRefSup8       = 0x24
	formStrx1         = 0x25
	formStrx4         = 0x28
	formAddrx1        = 0x29
	formAddrx4        = 0x2c
)

// A value is an attribute's value: a number, or the text of formString.
type value struct {
	form uint16
	n    uint64
	text []byte
}

// fixedSizes are the sizes of the forms that are numbers of a fixed size, in bytes. All units are
// in the 32-bit format, in which offsets take 4 bytes.
var fixedSizes = [...]uint8{
	formData1: 1, formFlag: 1, formRef1: 1, formStrx1: 1, formAddrx1: 1,
	formData2: 2, formRef2: 2, formStrx1 + 1: 2, formAddrx1 + 1: 2,
	formStrx1 + 2: 3, formAddrx1 + 2: 3,
	formData4: 4, formRef4: 4, formStrp: 4, formLineStrp: 4, formSecOffset: 4, formRefSup4: 4,
	formStrpSup: 4, formStrx4: 4, formAddrx4: 4,
	formData8: 8, formRef8: 8, formRefSig8: 8, formRefSup8: 8,
}

// readValue reads a value of a form. Implicit is the value of formImplicitConst.
func (u *unit) readValue(r *reader, form uint16, implicit int64) value {
	if form == formIndirect {
		if form = uint16(r.uleb()); form == formIndirect || form == formImplicitConst {
			r.failed = true
		}
	}
	v := value{form: form}
	switch form {
	case formAddr:
		v.n = r.fixed(u.addressSize)
	case formRefAddr:
		v.n = r.fixed(u.refAddrSize())
	case formUdata, formRefUdata, formStrx, formAddrx, formLoclistx, formRnglistx:
		v.n = r.uleb()
	case formSdata:
		v.n = uint64(r.sleb())
	case formFlagPresent:
		r.take(0)
		v.n = 1
	case formImplicitConst:
		r.take(0)
		v.n = uint64(implicit)
	case formString:
		v.text = r.str()
	case formBlock1:
		r.take(r.fixed(1))
	case formBlock2:
		r.take(r.fixed(2))
	case formBlock4:
		r.take(r.fixed(4))
	case formBlock, formExprloc:
		r.take(r.uleb())
	case formData16:
		r.take(16)
	default:
		if int(form) >= len(fixedSizes) || fixedSizes[form] == 0 {
			r.failed = true
			return value{}
		}
		v.n = r.fixed(uint64(fixedSizes[form]))
	}
	return v
}

// refAddrSize is the size of an offset in .debug_info of another unit. In version 2 it is that of
// an address.
func (u *unit) refAddrSize() uint64 {
	if u.version == 2 {
		return u.addressSize
	}
	return 4
}

// text returns the text of a value that is a string.
func (u *unit) text(v value) []byte {
	var r reader
	switch v.form {
	case formString:
		return v.text
	case formStrp:
		r = u.r.at(u.sections.Str, v.n)
	case formLineStrp:
		r = u.r.at(u.sections.LineStr, v.n)
	case formStrx, formStrx1, formStrx1 + 1, formStrx1 + 2, formStrx4:
		index := u.r.at(u.sections.StrOffsets, u.base(attrStrOffsetsBase)+4*(v.n&0xffffffff))
		r = u.r.at(u.sections.Str, index.fixed(4))
	default:
		return nil
	}
	return r.str()
}

// address returns the address that a value is, or has the index of.
func (u *unit) address(v value) uint64 {
	switch v.form {
	case formAddrx, formAddrx1, formAddrx1 + 1, formAddrx1 + 2, formAddrx4:
		r := u.r.at(u.sections.Addr, u.base(attrAddrBase)+u.addressSize*(v.n&0xffffffff))
		return r.fixed(u.addressSize)
	}
	return v.n
}

// base returns the unit's offset in a section of indices.
func (u *unit) base(attr uint16) uint64 { return u.root.number(attr) & 0xffffffff }
