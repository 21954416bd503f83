package policy

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// lookupNames maps a written name to the name for the DNS (UTS 46, non-transitional; RFC 5891). It
// accepts underscores, which names of services contain (RFC 2782). wellFormed checks the characters
// afterwards.
var lookupNames = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(),
	idna.StrictDomainName(false))

const (
	// maxName is the length of the longest canonical name, in bytes (RFC 1035, section 2.3.4).
	maxName = 253
	// maxLabel is the length of the longest label, in bytes.
	maxLabel = 63
	// maxWritten is the length of the longest name before it is mapped, in bytes.
	maxWritten = 1024
)

var (
	errNotName = errors.New("not a valid name")
	errAddress = errors.New("an address, not a name")
)

// CanonicalName returns the one spelling of a name that is judged and looked up: lower case,
// A-labels (RFC 5890, section 2.3.2.1), no final dot. Each spelling of a name gives the same
// result. It returns an error if s cannot be looked up, and if it maps to an address, which is not
// a name. It allocates nothing for a canonical name.
//
// Old spellings of IPv4 addresses, such as 0x7f.1, 0177.0.0.1 and 127.1 (inet(3)), are names here.
func CanonicalName(s string) (string, error) {
	if len(s) > maxWritten || !utf8.ValidString(s) {
		return "", errNotName
	}
	if !wellFormed(s) || strings.Contains(s, "xn--") {
		mapped, err := lookupNames.ToASCII(s)
		if err != nil {
			return "", errNotName
		}
		if s = strings.TrimSuffix(mapped, "."); !wellFormed(s) {
			return "", errNotName
		}
	}
	if last := s[len(s)-1]; last >= '0' && last <= '9' {
		if _, err := netip.ParseAddr(s); err == nil {
			return "", errAddress
		}
	}
	return s, nil
}

// wellFormed reports whether s consists of labels of lower-case letters, digits, hyphens and
// underscores, within the lengths of RFC 1035, section 2.3.4.
func wellFormed(s string) bool {
	if len(s) > maxName {
		return false
	}
	label := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			if label++; label > maxLabel {
				return false
			}
		case c == '.' && label > 0:
			label = 0
		default:
			return false
		}
	}
	return label > 0
}

// endsInNumber reports whether the last label of a canonical name is a decimal, octal or
// hexadecimal number. No name in the DNS ends in a number (RFC 3696, section 2); in a rule it is an
// address in an old spelling.
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	digits, hex := strings.CutPrefix(last, "0x")
	for _, c := range digits {
		if (c < '0' || c > '9') && (!hex || c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isSubdomain reports whether name is one or more labels below parent.
func isSubdomain(name, parent string) bool {
	rest, ok := strings.CutSuffix(name, parent)
	return ok && strings.HasSuffix(rest, ".")
}
