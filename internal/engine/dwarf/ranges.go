package dwarf

// contains reports whether an entry has code at an offset.
func (u *unit) contains(e *entry, offset uint64) bool {
	if v, ok := e.find(attrRanges); ok {
		return u.rangesContain(v, offset)
	}
	low, ok := e.find(attrLowPC)
	if !ok {
		return false
	}
	start, end := u.address(low), uint64(0)
	switch high, _ := e.find(attrHighPC); high.form {
	case formAddr, formAddrx, formAddrx1, formAddrx1 + 1, formAddrx1 + 2, formAddrx4:
		end = u.address(high)
	default:
		end = start + high.n
	}
	return contains(start, end, offset)
}

// contains reports whether an offset lies in a range. Linkers write the address 0, or one of the
// last, for code that they dropped. No function begins at 0: the code section begins with the
// number of functions.
func contains(start, end, offset uint64) bool {
	return start != 0 && start <= offset && offset < end
}

// rangesContain reports whether a list of ranges contains an offset. The base of the list is the
// unit's address.
func (u *unit) rangesContain(v value, offset uint64) bool {
	low, _ := u.root.find(attrLowPC)
	base := u.address(low)
	if u.version < 5 {
		return u.oldRangesContain(v.n, base, offset)
	}
	at := v.n
	if v.form == formRnglistx {
		lists := u.base(attrRnglistsBase)
		r := u.r.at(u.sections.Rnglists, lists+4*(v.n&0xffffffff))
		at = lists + r.fixed(4)
	}
	r := u.r.at(u.sections.Rnglists, at)
	indexed := func(index uint64) uint64 { return u.address(value{form: formAddrx, n: index}) }
	for !r.failed {
		var start, end uint64
		switch r.u8() { // DWARF 5, section 7.25.
		case 0: // DW_RLE_end_of_list
			return false
		case 1: // DW_RLE_base_addressx
			base = indexed(r.uleb())
			continue
		case 2: // DW_RLE_startx_endx
			start, end = indexed(r.uleb()), indexed(r.uleb())
		case 3: // DW_RLE_startx_length
			start = indexed(r.uleb())
			end = start + r.uleb()
		case 4: // DW_RLE_offset_pair
			start, end = base+r.uleb(), base+r.uleb()
		case 5: // DW_RLE_base_address
			base = r.fixed(u.addressSize)
			continue
		case 6: // DW_RLE_start_end
			start, end = r.fixed(u.addressSize), r.fixed(u.addressSize)
		case 7: // DW_RLE_start_length
			start = r.fixed(u.addressSize)
			end = start + r.uleb()
		default:
			return false
		}
		if !r.failed && contains(start, end, offset) {
			return true
		}
	}
	return false
}

// oldRangesContain reads a list of .debug_ranges, of versions before 5.
func (u *unit) oldRangesContain(at, base, offset uint64) bool {
	r := u.r.at(u.sections.Ranges, at)
	selection := ^uint64(0) >> (64 - 8*u.addressSize)
	for !r.failed {
		start, end := r.fixed(u.addressSize), r.fixed(u.addressSize)
		switch {
		case r.failed || start == 0 && end == 0:
			return false
		case start == selection:
			base = end
		case contains(base+start, base+end, offset):
			return true
		}
	}
	return false
}
