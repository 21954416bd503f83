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

// group is a set of flags that belong together in the help. A flag's usage starts with the name of
// its value in backquotes, if it has one.
type group struct {
	title, note string
	*pflag.FlagSet
}

func newGroup(title string) group {
	g := group{title: title, FlagSet: pflag.NewFlagSet(title, pflag.ContinueOnError)}
	g.SortFlags = false
	return g
}

// describe tells the name of a flag's value, which is empty if it takes none, and what the flag
// does.
func describe(f *pflag.Flag) (value, does string) {
	if f.NoOptDefVal != "" {
		return "", f.Usage
	}
	value, usage := pflag.UnquoteUsage(f)
	return value, strings.TrimPrefix(usage, value+" ")
}

// help prints a line for each flag.
func (g group) help(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", g.title)
	g.VisitAll(func(f *pflag.Flag) {
		flag := "    --" + f.Name
		if f.Shorthand != "" {
			flag = "-" + f.Shorthand + ", --" + f.Name
		}
		value, does := describe(f)
		if value != "" {
			flag += " " + value
		}
		fmt.Fprintf(w, "  %-30s %s\n", flag, does)
	})
	io.WriteString(w, g.note)
}

// page is a subcommand's flags, with what its help says before and after them.
type page struct {
	command, before, after string
	groups                 []group

	// ownWords says that the words from the first that is no flag on belong to a module.
	ownWords bool
}

// help prints the page.
func (p page) help(w io.Writer) {
	fmt.Fprint(w, p.before)
	for _, g := range p.groups {
		g.help(w)
	}
	fmt.Fprint(w, p.after)
}

// parse reads the flags among the words of a command line. It returns the other words; done says
// that help was asked for and given.
func (p page) parse(args []string) (rest []string, done bool, err error) {
	all := pflag.NewFlagSet(p.command, pflag.ContinueOnError)
	all.SetInterspersed(!p.ownWords)
	all.Usage = func() { p.help(os.Stdout) }
	for _, g := range p.groups {
		all.AddFlagSet(g.FlagSet)
	}
	switch err := all.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		return nil, true, nil
	case err != nil:
		return nil, false, usage(p.command, "%w", flagError(all, err))
	}
	if err := checkEmpty(all); err != nil {
		return nil, false, usage(p.command, "%w", err)
	}
	if rest = all.Args(); p.ownWords && len(rest) > 0 && all.ArgsLenAtDash() < 0 {
		warnSwallowed(all, rest[0], rest[1:])
	}
	return rest, false, nil
}

// checkEmpty refuses flags whose value is the empty string, which shells make of a variable that is
// not set: it would be as if the flag were not there.
func checkEmpty(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" {
			name, _ := pflag.UnquoteUsage(f)
			err = fmt.Errorf("--%s is empty; write --%[1]s %s", f.Name, name)
		}
	})
	return err
}

// flagError says what is wrong with a flag, and what would be right.
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
			return fmt.Errorf("there is no flag -%s%s", short, instead(short, flagNames(flags)))
		}
		return fmt.Errorf("there is no flag --%s%s", unknown.GetSpecifiedName(),
			instead(unknown.GetSpecifiedName(), flagNames(flags)))
	}
	return err
}

func flagNames(flags *pflag.FlagSet) (names []string) {
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}
