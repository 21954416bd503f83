package canon

import (
	"errors"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// utf16Tag is set in the length of a string of the encoding latin1+utf16 that is UTF-16
// (CanonicalABI.md, "UTF16_TAG").
const utf16Tag = 1 << 31

// string reads a string of n units at ptr: bytes of UTF-8 or Latin-1, code units of UTF-16. It is
// copied and then checked.
func (l *lifter) string(ptr, n uint32) (Value, error) {
	encoding, unit, align := l.opts.Encoding, uint32(1), uint32(1)
	switch {
	case encoding == UTF16:
		unit, align = 2, 2
	case encoding == Latin1UTF16 && n&utf16Tag != 0:
		encoding, unit, align = UTF16, 2, 2
		n &^= utf16Tag
	case encoding == Latin1UTF16:
		align = 2
	}
	b, err := listBytes(l.mem, ptr, n, unit, align)
	if err != nil {
		return Value{}, err
	}
	// A code unit of UTF-16 takes up to 3 bytes of UTF-8, a byte of Latin-1 up to 2. The text that
	// grew to that lives until the next garbage collection.
	size := 1
	if encoding != UTF8 {
		size = 4
	}
	if err := l.charge(&l.text, len(b), maxText, size, "bytes of strings"); err != nil {
		return Value{}, err
	}
	var text string
	switch encoding {
	case UTF16:
		text, err = decodeUTF16(b)
	case Latin1UTF16:
		text = decodeLatin1(b)
	default:
		if text = string(b); !utf8.ValidString(text) {
			err = Trapf("a string is not valid UTF-8")
		}
	}
	return Text(text), err
}

func decodeUTF16(b []byte) (string, error) {
	text := make([]byte, 0, len(b)/2)
	for i := 0; i < len(b); i += 2 {
		r := rune(little.Uint16(b[i:]))
		if utf16.IsSurrogate(r) {
			i += 2
			if i == len(b) {
				return "", Trapf("a string of UTF-16 ends in half of a surrogate pair")
			}
			if r = utf16.DecodeRune(r, rune(little.Uint16(b[i:]))); r == utf8.RuneError {
				return "", Trapf("a string of UTF-16 has half of a surrogate pair")
			}
		}
		text = utf8.AppendRune(text, r)
	}
	return unsafe.String(unsafe.SliceData(text), len(text)), nil
}

func decodeLatin1(b []byte) string {
	text := make([]byte, 0, len(b))
	for _, c := range b {
		text = utf8.AppendRune(text, rune(c))
	}
	return unsafe.String(unsafe.SliceData(text), len(text))
}

var errNotUTF8 = errors.New("a host function made a string that is not valid UTF-8")

// string writes a string in the guest's encoding. The size is computed first, so that the guest
// allocates once: the stepwise reallocation of CanonicalABI.md, "Storing strings", can be
// told from that by realloc alone.
func (w *lowerer) string(s string) (ptr, n uint32, err error) {
	if !utf8.ValidString(s) {
		return 0, 0, errNotUTF8
	}
	units, latin1 := measure(s)
	switch {
	case w.opts.Encoding == UTF8:
		return w.utf8(s)
	case w.opts.Encoding == Latin1UTF16 && latin1:
		return w.latin1(s)
	case w.opts.Encoding == Latin1UTF16:
		ptr, n, err = w.utf16(s, units)
		return ptr, n | utf16Tag, err
	}
	return w.utf16(s, units)
}

// measure counts the code units of UTF-16, and tells whether Latin-1 has all characters.
func measure(s string) (units int, latin1 bool) {
	latin1 = true
	for _, r := range s {
		units += utf16.RuneLen(r)
		latin1 = latin1 && r <= 0xFF
	}
	return units, latin1
}

func (w *lowerer) utf8(s string) (ptr, n uint32, err error) {
	if ptr, err = w.allocate(1, uint64(len(s))); err != nil {
		return 0, 0, err
	}
	copy(w.opts.view()[ptr:], s)
	return ptr, uint32(len(s)), nil
}

func (w *lowerer) latin1(s string) (ptr, n uint32, err error) {
	size := utf8.RuneCountInString(s)
	if ptr, err = w.allocate(2, uint64(size)); err != nil {
		return 0, 0, err
	}
	b := w.opts.view()[ptr:]
	i := 0
	for _, r := range s {
		b[i] = byte(r)
		i++
	}
	return ptr, uint32(size), nil
}

func (w *lowerer) utf16(s string, units int) (ptr, n uint32, err error) {
	if ptr, err = w.allocate(2, 2*uint64(units)); err != nil {
		return 0, 0, err
	}
	b := w.opts.view()[ptr:]
	for _, r := range s {
		if first, second := utf16.EncodeRune(r); first != utf8.RuneError {
			little.PutUint16(b, uint16(first))
			little.PutUint16(b[2:], uint16(second))
			b = b[4:]
			continue
		}
		little.PutUint16(b, uint16(r))
		b = b[2:]
	}
	return ptr, uint32(units), nil
}
