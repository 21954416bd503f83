// Command wasport runs WebAssembly modules that use the network: modules built for WASI preview 1
// and for the socket functions that WAMR added to it.
//
//	wasport run [flags] FILE.wasm [args...]
//
// Each subcommand has a file of its own, which turns its flags into a call of package wasport; what
// a guest is and what it may do is decided there. This file picks the subcommand and turns its
// error into a line on stderr and an exit status.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Exit statuses besides the guest's own.
const (
	statusFailure = 1
	statusUsage   = 2   // a wrong command line, or a module that cannot be run
	statusTimeout = 124 // as timeout(1)
	statusTrap    = 126
	statusSignal  = 128 // plus the signal's number, as a shell reports it
)

// command is a subcommand.
type command struct {
	name, args, does string
	page             func() page
	run              func(args []string) error
}

func (c command) synopsis() string { return strings.TrimSpace("wasport " + c.name + " " + c.args) }

func commands() []command {
	return []command{
		{"run", "[flags] FILE.wasm [args...]", "run a module", new(runFlags).page, run},
		{"inspect", "[--json] FILE.wasm", "say what a module imports and whether it can be run",
			new(inspectFlags).page, inspect},
		{"cc", "ARGS... -o MODULE.wasm", "compile C for it, with clang", ccPage,
			compiler("cc", false)},
		{"c++", "ARGS... -o MODULE.wasm", "compile C++ for it, with clang", ccPage,
			compiler("c++", true)},
		{"policy", "check|explain|fmt ...", "ask a policy file, or format it",
			new(policyFlags).page, runPolicy},
		{"demo", "", "run guests that talk to each other over loopback", demoPage, runDemo},
		{"completion", "bash|zsh|fish", "print what completes its command lines in a shell",
			completionPage, runCompletion},
		{"man", "", "print its manual page", manPage, runMan},
		{"version", "", "print the version", versionPage, version},
		{"help", "[COMMAND]", "print this, or the flags of a command", helpPage, runHelp},
	}
}

func main() { os.Exit(report(dispatch(os.Args[1:]))) }

func dispatch(args []string) error {
	if len(args) == 0 {
		help(os.Stderr)
		return &exit{status: statusUsage}
	}
	name := args[0]
	switch name {
	case "-h", "--help":
		help(os.Stdout)
		return nil
	case "-v", "--version":
		return version(nil)
	}
	if strings.HasSuffix(name, ".wasm") || strings.HasPrefix(name, "-") {
		return usage("", "%s is not a command; a module is run with: wasport run %s", name,
			strings.Join(args, " "))
	}
	c, err := commandNamed(name)
	if err != nil {
		return err
	}
	return c.run(args[1:])
}

// exit is an error with an exit status of its own. Without an err there is nothing to say.
type exit struct {
	status int
	err    error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// usage is the error of a command line, or a module, that cannot be run. The command is the one
// whose help would help.
func usage(command, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if command != "" {
		err = fmt.Errorf("%w\nsee wasport %s --help", err, command)
	}
	return &exit{statusUsage, err}
}

// exitStatus is the exit status of the command for that of a guest: its low 8 bits, as wait(2) and
// POSIX's exit() have it, on each system. Where they are all 0 and the guest's status is not, it is
// 255, so that a failure of the guest never passes for a success.
func exitStatus(code uint32) int {
	if low := code & 0xff; low != 0 || code == 0 {
		return int(low)
	}
	return 255
}

// report says what went wrong, and returns the exit status.
func report(err error) int {
	if err == nil {
		return 0
	}
	status := statusFailure
	var e *exit
	if errors.As(err, &e) {
		status = e.status
		if e.err == nil {
			err = nil
		}
	}
	if err != nil {
		say(fmt.Sprintln("wasport:", err))
	}
	return status
}

// warn says what the user should know although the run goes on.
func warn(format string, args ...any) {
	say(fmt.Sprintf("wasport: warning: "+format+"\n", args...))
}
