package policy

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// lookupNames maps what people write to what is asked of the DNS (UTS 46, non-transitional).
// Underscores pass, since names of services have them; which characters may stand in a name is
// checked afterwards.
var lookupNames = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(),
	idna.StrictDomainName(false))

const (
	maxName    = 253  // characters of a canonical name
	maxLabel   = 63   // characters between two dots
	maxWritten = 1024 // bytes of a name before it is mapped
)

var (
	errNotName = errors.New("not a valid name")
	errAddress = errors.New("an address, not a name")
)

// CanonicalName returns the one spelling under which a name is judged and should be looked up:
// lower case, A-labels, no trailing dot. Another spelling of the same name gives the same result.
// It is an error if s cannot be looked up, or if it maps to an address, which is not a name. A name
// that is canonical already costs no allocation.
//
// Old spellings of IPv4 addresses (0x7f.1, 0177.0.0.1, 127.1) are names like any other.
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

// wellFormed reports whether s is made of labels of lower-case letters, digits, hyphens and
// underscores, within the lengths of the DNS.
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

// endsInNumber reports whether the last label of a canonical name is a number, decimal, octal or
// hexadecimal. No name in the DNS ends so; in a rule it is an address in an old spelling.
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

// isSubdomain reports whether name is one or more labels under parent.
func isSubdomain(name, parent string) bool {
	rest, ok := strings.CutSuffix(name, parent)
	return ok && strings.HasSuffix(rest, ".")
}
