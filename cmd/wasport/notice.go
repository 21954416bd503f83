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

// deniedPeer prints that a peer was turned away. It leaves the peer's port out, so that repeated
// attempts of one peer are one report.
func (r *reports) deniedPeer(f *policy.Refusal) {
	text := fmt.Sprintf("turned away %v from %s %v: %s", f.Request.Remote.Addr().Unmap(),
		f.Request.Protocol, f.Request.Local, f.Reason)
	if r.dryRun {
		text = "would have " + text
	}
	r.print(text, "to let it in: ", f.Hint())
}

// limitFlags has the flags that raise limits. The other limits are keys of a policy.
var limitFlags = map[string]string{
	"threads": "--max-threads N", "descriptors": "--max-descriptors N",
	"memory": "--max-memory SIZE",
	"quota":  "--dir HOST::GUEST:quota=SIZE",
	"socket_memory": "--max-socket-memory SIZE, and socket_memory under [limits] if the policy " +
		"has it",
}

// limit prints that a limit refused a call.
func (r *reports) limit(name string, limit int) {
	remedy, ok := limitFlags[name]
	if !ok {
		remedy = name + " under [limits] in the policy"
	}
	value := strconv.Itoa(limit)
	if name == "quota" || strings.HasSuffix(name, "memory") {
		value = bytesize.Format(uint64(limit))
	}
	r.print(fmt.Sprintf("refused by a limit: %s = %s", name, value), "to raise it: ", remedy)
}

// failureHints prints the flags that a failed guest may have lacked. It runs at the guest's end,
// since most guests also look for things that they can do without. descriptor is the first after
// the directories. trustPreopens is false if l.Preopens cannot be why the guest failed.
func (r *reports) failureHints(l wasport.Lacks, descriptor int, trustPreopens bool) {
	r.mu.Lock()
	silent := len(r.printed) == 0
	r.mu.Unlock()
	if l.Socket {
		r.print(fmt.Sprintf("it failed after it used descriptor %d, which is not open", descriptor),
			"to hand it a socket there: ", "--listen tcp://ADDR:PORT")
	}
	// A guest lists its preopened directories by fd_prestat_get (WASI preview 1):
	//
	//   - Go's runtime does so at every start, so the listing is no evidence that the guest wanted
	//     a file. It passes each path on to the host, even if it has no directory: l.Directory.
	//   - wasi-libc without a directory refuses a path itself, so the host never sees the path. The
	//     listing is the only evidence there is. It is weak, since wasi-libc may list at the start:
	//     it counts only if nothing else explains the failure: nothing was printed, and the guest
	//     has ended by itself, not by a trap or a limit.
	if l.Directory || l.Preopens && silent && trustPreopens {
		r.print("it failed after it looked for files, of which it has none",
			"to give it a directory: ", "--dir HOST::GUEST")
	}
}

// systemHints prints that the system or the network refused a failed guest something. To the guest
// it looks as if a rule did. server is that of --resolver.
func (r *reports) systemHints(l wasport.Lacks, server string) {
	if l.BindPermission {
		r.print("it failed after the system, and no rule, refused a bind: permission denied",
			"to let it take a port below 1024: ",
			"run wasport with the privilege, or hand over a socket of the service manager: "+
				"--listen systemd")
	}
	switch {
	case l.Answer && server != "":
		r.print("it failed after a lookup that --resolver "+server+" did not answer", "", "")
	case l.Answer:
		r.print("it failed after a lookup that no DNS server answered",
			"to ask another one: ", "--resolver HOST:PORT")
	}
}

// warnModuleFlags warns about words after the file that are spelled like flags of run: they go to
// the module. A "--" among them ends the search, as it ends the flags of most programs (POSIX,
// Utility Syntax Guidelines).
func warnModuleFlags(flags *pflag.FlagSet, file string, words []string) {
	for _, word := range words {
		name, isFlag := strings.CutPrefix(word, "--")
		if name == "" && isFlag {
			return
		}
		name, _, _ = strings.Cut(name, "=")
		if isFlag && flags.Lookup(name) != nil {
			warnf("--%s after %s goes to the program; for wasport's own flag write it before "+
				"the file, or -- before the file if this is meant", name, file)
		}
	}
}
