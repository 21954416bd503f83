package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/internal/bytesize"
	"github.com/wasport/wasport/policy"
)

// stranger prints that a peer was turned away. Its port is left out, so that a guest which opens
// its socket again and again is told of once.
func (r *reports) stranger(f *policy.Refusal) {
	text := fmt.Sprintf(
		"turned away %v from %s %v: %s",
		f.Request.Remote.Addr().Unmap(),
		f.Request.Protocol,
		f.Request.Local,
		f.Reason,
	)
	if r.dryRun {
		text = "would have " + text
	}
	r.say(text, "to let it in: ", f.Hint())
}

// raises has the flags that raise limits; the others are keys in a policy.
var raises = map[string]string{
	"threads": "--max-threads N", "descriptors": "--max-descriptors N",
	"memory": "--max-memory SIZE",
	"quota":  "--dir HOST::GUEST:quota=SIZE",
	"socket_memory": "--max-socket-memory SIZE, and socket_memory under [limits] if the policy " +
		"has it",
}

// limit prints that a limit refused something.
func (r *reports) limit(name string, limit int) {
	how, ok := raises[name]
	if !ok {
		how = name + " under [limits] in the policy"
	}
	value := strconv.Itoa(limit)
	if name == "quota" || strings.HasSuffix(name, "memory") {
		value = bytesize.Format(uint64(limit))
	}
	r.say(fmt.Sprintf("refused by a limit: %s = %s", name, value), "to raise it: ", how)
}

// lacking prints what would have helped a guest that has failed. That is told at its end, since
// most guests look for what they can do without. The descriptor is the first after the directories.
func (r *reports) lacking(l wasport.Lacks, descriptor int, byGo bool) {
	r.mu.Lock()
	silent := len(r.said) == 0
	r.mu.Unlock()
	if l.Socket {
		r.say(fmt.Sprintf("it failed after it used descriptor %d, which is not open", descriptor),
			"to hand it a socket there: ", "--listen tcp://ADDR:PORT")
	}
	// A program of Go asks for directories always, and uses the path if there are none; a C library
	// asks always or before the first path, and refuses the path by itself.
	if l.Directory || l.Preopens && silent && !byGo {
		r.say(
			"it failed after it looked for files, of which it has none",
			"to give it a directory: ",
			"--dir HOST::GUEST",
		)
	}
}

// warnSwallowed says that flags of the command stand behind the module, where they are the
// module's. After "--" nothing is a flag; before the module it says that all this is meant.
func warnSwallowed(flags *pflag.FlagSet, file string, words []string) {
	for _, word := range words {
		name, isFlag := strings.CutPrefix(word, "--")
		if name == "" && isFlag {
			return
		}
		name, _, _ = strings.Cut(name, "=")
		if isFlag && flags.Lookup(name) != nil {
			warn(
				"--%s after %s goes to the program; for wasport's own flag write it before the "+
					"file, "+
					"or -- before the file if this is meant",
				name,
				file,
			)
		}
	}
}
