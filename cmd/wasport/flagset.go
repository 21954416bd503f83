package main

import (
	"errors"
	"fmt"
	"io"
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

// listAnnotation marks the flags of list.
const listAnnotation = "list"

// list defines a flag that may be repeated. add takes each value. All other flags have one value,
// and a second one is refused: it would replace the first, which may be a deny.
func (g group) list(name, usage string, add func(string) error) {
	g.Func(name, usage, add)
	g.Lookup(name).Annotations = map[string][]string{listAnnotation: nil}
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
	all.Usage = func() { p.help(stdout) }
	for _, g := range p.groups {
		all.AddFlagSet(g.FlagSet)
	}
	given := make(map[string]string)
	switch err := all.ParseAll(args, func(f *pflag.Flag, value string) error {
		if err := checkEmpty(f, value); err != nil {
			return err
		}
		if err := checkRepeated(f, given, value); err != nil {
			return err
		}
		return all.Set(f.Name, value)
	}); {
	case errors.Is(err, pflag.ErrHelp):
		return nil, true, nil
	case err != nil:
		return nil, false, usageError(p.command, "%w", flagError(all, err))
	}
	rest = all.Args()
	for i, word := range rest {
		if word == "" && (i == 0 || !p.moduleArgs) {
			return nil, false, usageError(p.command,
				"argument %d is empty, as that of an unset variable is; write it or leave it out",
				i+1)
		}
	}
	if p.moduleArgs && len(rest) > 0 && all.ArgsLenAtDash() < 0 {
		warnModuleFlags(all, rest[0], rest[1:])
	}
	return rest, false, nil
}

// checkRepeated refuses a second value of a flag that is no list. given has the values so far. The
// same value of a flag that is on or off is accepted, since no order of the two matters.
func checkRepeated(f *pflag.Flag, given map[string]string, value string) error {
	_, isList := f.Annotations[listAnnotation]
	earlier, repeated := given[f.Name]
	given[f.Name] = value
	if !repeated || isList || f.Value.Type() == "bool" && value == earlier {
		return nil
	}
	// The values are not repeated here, since that of --proxy may have a password.
	if name, _ := describe(f); name != "" {
		return fmt.Errorf("--%s is given twice: write one --%[1]s %s", f.Name, name)
	}
	return fmt.Errorf("--%s is given twice: write it once", f.Name)
}

// checkEmpty refuses an empty value, to which a shell expands an unset variable. It would otherwise
// have the effect of an absent flag.
func checkEmpty(f *pflag.Flag, value string) error {
	name, _ := describe(f)
	if value != "" || name == "" {
		return nil
	}
	return fmt.Errorf("--%s is empty; write --%[1]s %s", f.Name, name)
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
