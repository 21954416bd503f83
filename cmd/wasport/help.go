package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// runHelp is the subcommand help: the page of another one, or the list of all.
func runHelp(args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		help(os.Stdout)
		return nil
	}
	c, err := commandNamed(args[0])
	if err != nil {
		return err
	}
	c.page().help(os.Stdout)
	return nil
}

func helpPage() page {
	return page{
		command: "help",
		before:  "wasport help [COMMAND] prints what a command does, and its flags.\n",
	}
}

// commandNamed finds a command, or says which one was probably meant.
func commandNamed(name string) (command, error) {
	var names []string
	for _, c := range commands() {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	return command{}, usage("", "%s is not a command%s", name, didYouMean("", name, names))
}

func help(w io.Writer) {
	fmt.Fprint(
		w,
		"wasport runs WebAssembly modules on the host's network, as far as they are allowed to "+
			"use it.\n\n",
	)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-41s %s\n", c.synopsis(), c.does)
	}
	fmt.Fprint(w, "\nwasport help COMMAND lists the flags of a command.\n")
}
