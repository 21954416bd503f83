// Command wasport runs WebAssembly modules that use the network: modules built for WASI preview 1
// and for the socket functions that WAMR added to it.
//
//	wasport run [flags] FILE.wasm [args...]
//
// Each subcommand has a file of its own, which turns flags into a call of package wasport. The
// package decides everything about a guest and its permissions. This file finds the subcommand, and
// turns its error into a message on stderr and an exit status.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Exit statuses besides the guest's own.
const (
	statusFailure = 1
	statusUsage   = 2   // a wrong command line, or a file that cannot be run
	statusTimeout = 124 // as timeout(1)
	statusTrap    = 126
	statusSignal  = 128 // plus the signal's number, as a shell reports it
)

// command is a subcommand.
type command struct {
	name, args, summary string
	page                func() page
	run                 func(args []string) error
}

func (c command) synopsis() string { return strings.TrimSpace("wasport " + c.name + " " + c.args) }

func commands() []command {
	return []command{
		{"run", "[flags] FILE.wasm [args...]", "run a module", new(runFlags).page, run},
		{"inspect", "[--json] FILE.wasm", "list imports and exports, and say if it can run",
			new(inspectFlags).page, inspect},
		{"cc", "ARGS... -o MODULE.wasm", "compile C to a module, with clang", ccPage,
			ccCommand("cc", false)},
		{"c++", "ARGS... -o MODULE.wasm", "compile C++ to a module, with clang", ccPage,
			ccCommand("c++", true)},
		{"policy", "check|explain|fmt ...", "check, explain or format policy files",
			new(policyFlags).page, runPolicy},
		{"demo", "", "run modules that talk to each other over loopback", demoPage, runDemo},
		{"completion", "bash|zsh|fish", "print a completion script for a shell",
			completionPage, runCompletion},
		{"man", "", "print the manual page", manPage, runMan},
		{"version", "", "print the version", versionPage, runVersion},
		{"help", "[COMMAND]", "print this list, or the flags of a command", helpPage, runHelp},
	}
}

func main() {
	growStack()
	os.Exit(reportError(stdout.check(dispatch(os.Args[1:]))))
}

// dispatch runs the subcommand that the first argument names.
func dispatch(args []string) error {
	if len(args) == 0 {
		printHelp(os.Stderr)
		return &exitError{status: statusUsage}
	}
	name := args[0]
	switch name {
	case "-h", "--help":
		printHelp(stdout)
		return nil
	case "-v", "--version":
		return runVersion(nil)
	}
	if strings.HasPrefix(name, "-") && !slices.ContainsFunc(args, isModuleName) {
		return usageError("", "there is no flag %s; see wasport --help", name)
	}
	if isModuleName(name) || strings.HasPrefix(name, "-") {
		return usageError("", "%s is not a command; a module is run with: wasport run %s", name,
			strings.Join(args, " "))
	}
	c, err := findCommand(name)
	if err != nil {
		return err
	}
	return c.run(args[1:])
}

// exitError is an error with an exit status of its own. Without an err it prints nothing.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usageError is the error for a wrong command line or file. Unless command is empty, the message
// points to the help of that command.
func usageError(command, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if command != "" {
		err = fmt.Errorf("%w\nsee wasport %s --help", err, command)
	}
	return &exitError{statusUsage, err}
}

// isModuleName reports whether an argument is probably a module.
func isModuleName(arg string) bool { return strings.HasSuffix(arg, ".wasm") }

// exitStatus converts a guest's exit status to the command's: its low 8 bits, as in POSIX, exit, on
// each system. If only these are 0, it is 255, so that a failure never passes for a success.
func exitStatus(code uint32) int {
	if low := code & 0xff; low != 0 || code == 0 {
		return int(low)
	}
	return 255
}

// reportError prints an error, and returns the exit status.
func reportError(err error) int {
	if err == nil {
		return 0
	}
	status := statusFailure
	var e *exitError
	if errors.As(err, &e) {
		status = e.status
		if e.err == nil {
			err = nil
		}
	}
	if err != nil {
		printMessage(err.Error())
	}
	return status
}

// warnf prints a warning. The run goes on.
func warnf(format string, args ...any) {
	printMessage(fmt.Sprintf("warning: "+format, args...))
}
