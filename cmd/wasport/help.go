package main

import (
	"fmt"
	"io"
	"strings"
)

// commandSummary is the first sentence of the help and of the manual page.
const commandSummary = "" +
	"wasport runs WebAssembly modules with the network access that you grant them."

// runHelp is the subcommand help. It prints the page of another subcommand, or the list of all.
func runHelp(args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		printHelp(stdout)
		return nil
	}
	if len(args) > 1 {
		return usageError("", "help is about one command: wasport help %s", args[0])
	}
	c, err := findCommand(args[0])
	if err != nil {
		return err
	}
	c.page().help(stdout)
	return nil
}

func helpPage() page {
	return page{
		command: "help",
		before:  "wasport help [COMMAND] prints the help of a command, or a list of all.\n",
	}
}

// findCommand finds a command by name. For a name that does not exist, the error suggests a similar
// one.
func findCommand(name string) (command, error) {
	for _, c := range commands() {
		if c.name == name {
			return c, nil
		}
	}
	return command{}, usageError("", "%s is not a command%s", name,
		didYouMean("", strings.ToLower(name), commandNames()))
}

func printHelp(w io.Writer) {
	fmt.Fprint(w, commandSummary+"\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-41s %s\n", c.synopsis(), c.summary)
	}
	fmt.Fprint(w, "\nwasport help COMMAND prints the flags of a command.\n")
}
