package policy

import (
	"path"
	"strconv"
	"strings"
)

// unixScheme begins a target that is a path.
const unixScheme = "unix:"

func isUnixTarget(s string) bool { return strings.HasPrefix(s, unixScheme) }

// isUnixOp reports whether rules judge a request for a Unix-domain socket. No rule is about its
// peers, which have no address.
func isUnixOp(o Op) bool { return o == OpConnect || o == OpBind || o == OpListen }

// unixTarget parses unix:PATH, unix:DIR/* or unix:* into r.
func (p parser) unixTarget(r *Rule, w word) *Error {
	text := strings.TrimPrefix(w.text, unixScheme)
	at := w.offset + len(unixScheme)
	r.protocols = Unix
	if r.action != ActionConnect && r.action != ActionListen {
		return p.fail(w.offset, "write connect or listen",
			"%s is a Unix-domain socket, which nothing can %s", w.text, r.action)
	}
	if text == "*" {
		r.host = host{kind: anyPath}
		return nil
	}
	h := host{kind: byPath, name: text}
	if dir, ok := strings.CutSuffix(text, "/*"); ok {
		h, text = host{kind: inDir, name: dir + "/"}, dir+"/x"
	}
	if problem, hint := pathMistake(text); problem != "" {
		return p.fail(at, hint, "%q %s", w.text, problem)
	}
	r.host = h
	return nil
}

// unixValue makes r the rule for the paths that a value names.
func (p parser) unixValue(r Rule, s Spec) (Rule, *Error) {
	var text, checked string
	switch v := s.host.(type) {
	case string:
		text, checked = v, v
	case Under:
		text, checked = string(v)+"/*", string(v)+"/x"
		switch v {
		case "": // an unset variable, and not the root
			checked = ""
		case "/":
			text, checked = "/*", "/x"
		}
	case Group:
		if v != Any {
			return Rule{}, p.fail(0, "pass a path, or policy.Any", "%q stands for addresses", v)
		}
		text, checked = "*", "/x"
	default:
		return Rule{}, p.fail(0, "pass a path", "%v is not a path", v)
	}
	switch problem, hint := pathMistake(checked); {
	case problem != "":
		return Rule{}, p.fail(0, hint, "%q %s", checked, problem)
	case s.ports != nil || s.peer != nil:
		return Rule{}, p.fail(0, "leave them out", "a Unix-domain socket has no ports and peers")
	}
	err := p.unixTarget(&r, word{text: unixScheme + text})
	if err == nil {
		r.setText()
	}
	return r, err
}

// AllowUnix returns the rules that allow to connect and to listen at every path.
func AllowUnix(from Origin) []Rule {
	var rules []Rule
	for _, action := range []Action{ActionConnect, ActionListen} {
		r := Rule{action: action, protocols: Unix, host: host{kind: anyPath}, origin: from}
		r.setText()
		rules = append(rules, r)
	}
	return rules
}

// pathMistake tells why no rule can have a path, and what would be right. Both are empty for a path
// that a rule can have.
func pathMistake(s string) (problem, hint string) {
	switch {
	case !strings.HasPrefix(s, "/"):
		return "is not an absolute path", "write for instance unix:/run/app.sock"
	case strings.Contains(s, "*"):
		return `has a "*" in a name`, `write unix:/DIR/* for every name in a directory, or unix:*`
	case strings.ContainsFunc(s, func(c rune) bool { return !spellable(c) }):
		return "has a character that a rule cannot have",
			"paths have letters and digits of ASCII, and " + pathPunctuation
	case len(s) > maxUnixPath:
		return "is too long", "a path of a socket has at most " + strconv.Itoa(maxUnixPath) +
			" bytes (unix(7))"
	case s == "/":
		return "names a directory", "write unix:/* for every name in it"
	case path.Clean(s) != s:
		return "can be read in two ways", "write unix:" + path.Clean(s)
	}
	return "", ""
}

// maxUnixPath is the length of the path of a socket, at most, in bytes: sun_path without the NUL
// (unix(7)).
const maxUnixPath = 107

// pathPunctuation has the characters of a path beside letters and digits. None of them has a
// meaning for a shell, in TOML or between the words of a rule, so a hint can be copied as it is.
const pathPunctuation = "/._-+@%=,:"

// spellable reports whether a path in a rule may have a character.
func spellable(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		strings.ContainsRune(pathPunctuation, c)
}

// formatPath returns a path of a guest for a message. One that no rule can have is quoted and cut,
// so that no control character reaches a terminal.
func formatPath(s string) string {
	if problem, _ := pathMistake(s); problem == "" {
		return s
	}
	return strconv.QuoteToASCII(s[:min(len(s), maxName)])
}

// dirOf returns the directory of an absolute path, with a slash at its end.
func dirOf(s string) string { return s[:strings.LastIndexByte(s, '/')+1] }

// pathIndex finds rules for paths. The first of several rules wins. The zero host stands for any.
type pathIndex map[pathKey]*Rule

type pathKey struct {
	effect Effect
	action Action
	host   host
}

func indexPaths(rules []Rule) pathIndex {
	x := make(pathIndex)
	for i := range rules {
		r := &rules[i]
		if r.protocols != Unix {
			continue
		}
		for _, h := range []host{r.host, {}} {
			if key := (pathKey{r.effect, r.action, h}); x[key] == nil {
				x[key] = r
			}
		}
	}
	return x
}

// find returns a rule for all that h names: for itself, for its directory or for every path.
func (x pathIndex) find(e Effect, a Action, h host) *Rule {
	for _, by := range [...]host{h, {kind: inDir, name: dirOf(h.name)}, {kind: anyPath}} {
		if r := x[pathKey{e, a, by}]; r != nil {
			return r
		}
	}
	return nil
}

// decide judges the path of a request.
func (x pathIndex) decide(q *query) verdict {
	h := host{kind: byPath, name: q.name}
	return denyWins(x.find(Allow, q.op.action(), h), x.find(Deny, q.op.action(), h))
}

// reason tells why no rule covers the path of a request.
func (x pathIndex) reason(q *query) string {
	action := q.op.action()
	if x[pathKey{Allow, action, host{}}] != nil {
		return "no " + action.String() + " rule covers it"
	}
	return "no rule allows " + action.String() + " by unix"
}

// unspelledHint is the hint for a path that no rule can have.
func unspelledHint(a Action) string {
	return "call the file by a name of letters and digits of ASCII, and " + pathPunctuation +
		`; or allow its whole directory: --allow-` + a.String() + ` "unix:/DIR/*"`
}
