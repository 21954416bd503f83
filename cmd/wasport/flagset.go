package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/wasport/wasport/policy"
)

// group is a set of flags under one title in the help. A flag that takes a value begins its usage
// with the value's name in backquotes.
type group struct {
	title, note string
	*pflag.FlagSet
}

func newGroup(title string) group {
	g := group{title: title, FlagSet: pflag.NewFlagSet(title, pflag.ContinueOnError)}
	g.SortFlags = false
	return g
}

// flagWidth is the width of the column of flags in the help.
const flagWidth = 30

// describe returns the name of a flag's value, which is empty if it takes none, and its summary.
func describe(f *pflag.Flag) (value, summary string) {
	if f.NoOptDefVal != "" {
		return "", f.Usage
	}
	value, usage := pflag.UnquoteUsage(f)
	return value, strings.TrimPrefix(usage, value+" ")
}

// help prints a line for each flag. A long flag has a line of its own, so that summaries are
// aligned.
func (g group) help(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", g.title)
	g.VisitAll(func(f *pflag.Flag) {
		flag := "    --" + f.Name
		if f.Shorthand != "" {
			flag = "-" + f.Shorthand + ", --" + f.Name
		}
		value, summary := describe(f)
		if value != "" {
			flag += " " + value
		}
		if len(flag) > flagWidth {
			fmt.Fprintf(w, "  %s\n", flag)
			flag = ""
		}
		fmt.Fprintf(w, "  %-*s %s\n", flagWidth, flag, summary)
	})
	io.WriteString(w, g.note)
}

// page is the help of a subcommand: its flags, and the texts before and after them.
type page struct {
	command, before, after string
	groups                 []group

	// moduleArgs says that the first word which is no flag is a module, and that the words after it
	// are the module's.
	moduleArgs bool
}

// help prints the page.
func (p page) help(w io.Writer) {
	fmt.Fprint(w, p.before)
	for _, g := range p.groups {
		g.help(w)
	}
	fmt.Fprint(w, p.after)
}

// parse reads the flags on a command line and returns the other words. done says that --help was
// among them and is printed.
func (p page) parse(args []string) (rest []string, done bool, err error) {
	all := pflag.NewFlagSet(p.command, pflag.ContinueOnError)
	all.SetInterspersed(!p.moduleArgs)
	all.Usage = func() { p.help(os.Stdout) }
	for _, g := range p.groups {
		all.AddFlagSet(g.FlagSet)
	}
	switch err := all.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		return nil, true, nil
	case err != nil:
		return nil, false, usageError(p.command, "%w", flagError(all, err))
	}
	if err := checkEmpty(all); err != nil {
		return nil, false, usageError(p.command, "%w", err)
	}
	if rest = all.Args(); p.moduleArgs && len(rest) > 0 && all.ArgsLenAtDash() < 0 {
		warnModuleFlags(all, rest[0], rest[1:])
	}
	return rest, false, nil
}

// checkEmpty refuses an empty value, to which a shell expands an unset variable. It would otherwise
// have the effect of an absent flag.
func checkEmpty(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" {
			name, _ := pflag.UnquoteUsage(f)
			err = fmt.Errorf("--%s is empty; write --%[1]s %s", f.Name, name)
		}
	})
	return err
}

// flagError converts an error of pflag to one that says how to write the flag.
func flagError(flags *pflag.FlagSet, err error) error {
	var unknown *pflag.NotExistError
	var lacking *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var rule *policy.Error
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("there is no flag %s", syntax.GetSpecifiedFlag())
	case errors.As(err, &rule):
		return rule // it names the flag
	case errors.As(err, &invalid):
		return fmt.Errorf("--%s %s: %w", invalid.GetFlag().Name, invalid.GetValue(),
			errors.Unwrap(invalid))
	case errors.As(err, &lacking):
		name, _ := pflag.UnquoteUsage(lacking.GetFlag())
		return fmt.Errorf("--%s needs a value: --%[1]s %s", lacking.GetFlag().Name, name)
	case errors.As(err, &unknown):
		if short := unknown.GetSpecifiedShortnames(); short != "" {
			return fmt.Errorf("there is no flag -%s%s", short, suggestFlag(short, flagNames(flags)))
		}
		return fmt.Errorf("there is no flag --%s%s", unknown.GetSpecifiedName(),
			suggestFlag(unknown.GetSpecifiedName(), flagNames(flags)))
	}
	return err
}

func flagNames(flags *pflag.FlagSet) (names []string) {
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}
