package link

import (
	"strings"

	"github.com/wasport/wasport/internal/component/binary"
)

// isLabel reports whether s is a label: words joined by "-", each all lower or all upper case, the
// first beginning with a letter.
// Source: component model, Explainer.md, "Import and Export Definitions".
func isLabel(s string) bool {
	for i, word := range strings.Split(s, "-") {
		lower, upper := false, false
		for j, c := range []byte(word) {
			switch {
			case c >= 'a' && c <= 'z':
				lower = true
			case c >= 'A' && c <= 'Z':
				upper = true
			case c < '0' || c > '9', i == 0 && j == 0:
				return false
			}
		}
		if word == "" || lower && upper {
			return false
		}
	}
	return true
}

// isLowerLabel reports whether s is a label without letters of upper case.
func isLowerLabel(s string) bool { return isLabel(s) && s == strings.ToLower(s) }

// A nameKind is the form of the name of an import or export.
type nameKind uint8

const (
	plainName nameKind = iota
	interfaceName
	constructorName
	methodName
	staticName
)

// An externName is the parsed name of an import or export.
type externName struct {
	kind nameKind

	// resource and label are the parts of the name of a function of a resource.
	resource, label string
}

var prefixes = []struct {
	text string
	kind nameKind
}{
	{"[constructor]", constructorName}, {"[method]", methodName}, {"[static]", staticName},
}

func parseName(s string, offset int) (externName, error) {
	bad := func() (externName, error) {
		return externName{}, binary.Errorf(binary.Invalid, offset,
			"%q is no name of an import or export", s)
	}
	for _, p := range prefixes {
		rest, ok := strings.CutPrefix(s, p.text)
		if !ok {
			continue
		}
		resource, label, dotted := strings.Cut(rest, ".")
		if dotted == (p.kind == constructorName) || !isLabel(resource) ||
			dotted && !isLabel(label) {
			return bad()
		}
		return externName{p.kind, resource, label}, nil
	}
	if isLabel(s) {
		return externName{kind: plainName, label: s}, nil
	}
	if strings.Contains(s, "=<") {
		return externName{}, binary.Errorf(binary.Unsupported, offset,
			"%q, an import by address or package, is not supported", s)
	}
	if !isInterfaceName(s) {
		return bad()
	}
	return externName{kind: interfaceName}, nil
}

// isInterfaceName reports whether s is "namespace:package/interface", with "@version" or without.
func isInterfaceName(s string) bool {
	name, version, versioned := strings.Cut(s, "@")
	namespace, rest, colon := strings.Cut(name, ":")
	pkg, iface, slash := strings.Cut(rest, "/")
	return colon && slash && isLowerLabel(namespace) && isLowerLabel(pkg) && isLabel(iface) &&
		(!versioned || isVersion(version))
}

// isVersion reports whether s is a version of Semantic Versioning 2.0.0.
func isVersion(s string) bool {
	s, build, hasBuild := strings.Cut(s, "+")
	core, pre, hasPre := strings.Cut(s, "-")
	numbers := strings.Split(core, ".")
	for _, n := range numbers {
		if !isNumber(n) {
			return false
		}
	}
	return len(numbers) == 3 && (!hasPre || areIdentifiers(pre, true)) &&
		(!hasBuild || areIdentifiers(build, false))
}

// isNumber reports whether s is a number of 64 bits without superfluous zeros.
func isNumber(s string) bool {
	const most = "18446744073709551615"
	return isDigits(s) && (s == "0" || s[0] != '0') &&
		(len(s) < len(most) || len(s) == len(most) && s <= most)
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func areIdentifiers(s string, strict bool) bool {
	const allowed = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-"
	for id := range strings.SplitSeq(s, ".") {
		if id == "" || strings.Trim(id, allowed) != "" ||
			strict && isDigits(id) && len(id) > 1 && id[0] == '0' {
			return false
		}
	}
	return true
}

// unique returns the text that no other name in a scope may have: names are strongly unique.
// Source: component model, Explainer.md, "Name Uniqueness".
func (n externName) unique(name string) string {
	switch n.kind {
	case methodName, staticName:
		if strings.EqualFold(n.resource, n.label) {
			return strings.ToLower(n.label)
		}
		return strings.ToLower(n.resource + "." + n.label)
	}
	return strings.ToLower(name)
}

// uniqueLabels refuses labels that are none, or that differ in case only.
func uniqueLabels(fields []binary.Field, what string, offset int) error {
	var seen map[string]struct{}
	if len(fields) > 1 {
		seen = make(map[string]struct{}, len(fields))
	}
	for _, f := range fields {
		if !isLabel(f.Name) {
			return binary.Errorf(binary.Invalid, offset, "%s has a name that is no label: %q",
				what, f.Name)
		}
		key := strings.ToLower(f.Name)
		if _, ok := seen[key]; ok {
			return binary.Errorf(binary.Invalid, offset, "%s has the name %q twice", what, f.Name)
		}
		if seen != nil {
			seen[key] = struct{}{}
		}
	}
	return nil
}
