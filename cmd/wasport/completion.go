package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

const completionBefore = `wasport completion bash|zsh|fish prints a completion script for a shell.

  bash: source <(wasport completion bash)           in ~/.bashrc
  zsh:  wasport completion zsh > _wasport           in a directory of $fpath
  fish: wasport completion fish > wasport.fish      in ~/.config/fish/completions
`

func completionPage() page { return page{command: "completion", before: completionBefore} }

// runCompletion is the subcommand completion.
func runCompletion(args []string) error {
	rest, done, err := completionPage().parse(args)
	if done || err != nil {
		return err
	}
	switch strings.Join(rest, " ") {
	case "bash":
		writeBashCompletion(stdout)
	case "zsh":
		writeZshCompletion(stdout)
	case "fish":
		writeFishCompletion(stdout)
	default:
		return usageError("completion", "name one shell: wasport completion bash, zsh or fish")
	}
	return nil
}

// valueKind is the kind of completion for a flag's value.
type valueKind int

const (
	noValue valueKind = iota // the flag takes no value
	anyValue
	fileValue
	dirValue
	wordValue // a fixed word
)

// kindOf derives the kind of a flag's value from its name in the help: FILE, DIR or HOST[::GUEST],
// or a word in lower case, which is the value itself and is returned.
func kindOf(f *pflag.Flag) (valueKind, string) {
	value, _ := describe(f)
	switch {
	case value == "":
		return noValue, ""
	case value == "FILE":
		return fileValue, ""
	case value == "DIR", strings.HasPrefix(value, "HOST[::"):
		return dirValue, ""
	case value == strings.ToLower(value):
		return wordValue, value
	}
	return anyValue, ""
}

// wordsOf returns the fixed words that may follow a command.
func wordsOf(command string) []string {
	switch command {
	case "policy":
		return []string{"check", "explain", "fmt"}
	case "completion":
		return []string{"bash", "zsh", "fish"}
	case "help":
		return commandNames()
	}
	return nil
}

func commandNames() (names []string) {
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return names
}

// flagsOf lists the flags of a command, --help last.
func flagsOf(c command) (flags []*pflag.Flag) {
	for _, g := range c.page().groups {
		g.VisitAll(func(f *pflag.Flag) { flags = append(flags, f) })
	}
	return append(
		flags,
		&pflag.Flag{Name: "help", Shorthand: "h", Usage: "print the flags", NoOptDefVal: "true"},
	)
}

// namesOf lists the flags of some kinds, short names included.
func namesOf(flags []*pflag.Flag, kinds ...valueKind) string {
	var names []string
	for _, f := range flags {
		if kind, _ := kindOf(f); slices.Contains(kinds, kind) {
			if f.Shorthand != "" {
				names = append(names, "-"+f.Shorthand)
			}
			names = append(names, "--"+f.Name)
		}
	}
	return strings.Join(names, " ")
}

// bashHead and bashFoot enclose the cases of the commands in the script for bash. The option
// "-o default" leaves file names to bash itself.
const (
	bashHead = `# bash completion of wasport, printed by: wasport completion bash
_wasport() {
	# COMP_WORDS has "=" and ":" as separate words (bash(1), COMP_WORDBREAKS).
	local cur=${COMP_WORDS[COMP_CWORD]} prev flags valued dirs words value module_args line i n
	read -ra line <<< "${COMP_LINE:0:COMP_POINT}."
	(( n = ${#line[@]} - 1 ))
	prev=${line[n-1]}
	[[ ${line[n]} == --*=* ]] && prev=${line[n]%%=*}
	[[ $cur == = || $cur == : ]] && cur=
	COMPREPLY=()
	if (( n == 1 )); then
`

	bashFoot = `	esac
	# Words after a module belong to it.
	if [[ $module_args ]]; then
		for (( i = 2; i < n; i++ )); do
			if [[ ${line[i]} != -* || ${line[i]} == -- ]]; then
				return
			fi
			[[ " $valued " == *" ${line[i]} "* ]] && (( i++ ))
		done
	fi
	if [[ $value ]]; then
		COMPREPLY=($(compgen -W "$value" -- "$cur"))
	elif [[ " $dirs " == *" $prev "* ]]; then
		compopt -o dirnames -o filenames 2>/dev/null
		local IFS=$'\n' # names may have blanks
		COMPREPLY=($(compgen -d -- "$cur"))
	elif [[ " $valued " == *" $prev "* ]]; then
		return
	elif [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$flags" -- "$cur"))
	elif [[ $words ]] && (( n == 2 )); then
		COMPREPLY=($(compgen -W "$words" -- "$cur"))
	fi
}
complete -o default -F _wasport wasport
`
)

func writeBashCompletion(w io.Writer) {
	fmt.Fprint(w, bashHead)
	fmt.Fprintf(w, "\t\tCOMPREPLY=($(compgen -W '%s' -- \"$cur\"))\n\t\treturn\n\tfi\n",
		strings.Join(commandNames(), " "))
	fmt.Fprint(w, "\tcase ${line[1]} in\n")
	for _, c := range commands() {
		writeBashCase(w, c)
	}
	fmt.Fprint(w, bashFoot)
}

// writeBashCase sets the variables of the script for one command.
func writeBashCase(w io.Writer, c command) {
	flags := flagsOf(c)
	withValue := namesOf(flags, anyValue, fileValue, dirValue, wordValue)
	fmt.Fprintf(w, "\t%s)\n\t\tflags='%s'\n\t\tvalued='%s'\n", c.name,
		namesOf(flags, noValue, anyValue, fileValue, dirValue, wordValue), withValue)
	fmt.Fprintf(w, "\t\tdirs='%s'\n\t\twords='%s'\n", namesOf(flags, dirValue),
		strings.Join(wordsOf(c.name), " "))
	if c.page().moduleArgs {
		fmt.Fprint(w, "\t\tmodule_args=1\n")
	}
	for _, f := range flags {
		if kind, word := kindOf(f); kind == wordValue {
			fmt.Fprintf(w, "\t\t[[ $prev == --%s ]] && value='%s'\n", f.Name, word)
		}
	}
	fmt.Fprint(w, "\t\t;;\n")
}

// writeZshCompletion prints a function for _arguments (zshcompsys(1)).
func writeZshCompletion(w io.Writer) {
	escape := strings.NewReplacer("'", `'\''`, "[", `\[`, "]", `\]`, ":", `\:`).Replace
	fmt.Fprint(
		w,
		"#compdef wasport\n# Printed by: wasport completion zsh\n_wasport() {\n\tlocal -a "+
			"commands\n\tcommands=(\n",
	)
	for _, c := range commands() {
		fmt.Fprintf(w, "\t\t'%s:%s'\n", c.name, escape(c.summary))
	}
	fmt.Fprint(
		w,
		"\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n"+
			"\tlocal command=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n\tcase $command in\n",
	)
	for _, c := range commands() {
		p := c.page()
		fmt.Fprintf(w, "\t%s)\n\t\t_arguments", c.name)
		if p.moduleArgs {
			fmt.Fprint(w, " -A '-*'")
		}
		for _, f := range flagsOf(c) {
			_, summary := describe(f)
			for _, name := range strings.Fields(zshSpellings(f)) {
				fmt.Fprintf(w, " \\\n\t\t\t'*%s[%s]%s'", name, escape(summary), zshValue(f, escape))
			}
		}
		words := "'*:file:_files'"
		if known := wordsOf(c.name); known != nil {
			words = fmt.Sprintf("'1:word:(%s)' '*:file:_files'", strings.Join(known, " "))
		} else if p.moduleArgs || c.name == "inspect" {
			words = `'1:module:_files -g "*.wasm"' '*:file:_files'`
		}
		fmt.Fprintf(w, " \\\n\t\t\t%s\n\t\t;;\n", words)
	}
	fmt.Fprint(w, "\tesac\n}\ncompdef _wasport wasport\n")
}

// zshValue returns the part of a flag's specification that completes its value.
func zshValue(f *pflag.Flag, escape func(string) string) string {
	name, _ := describe(f)
	switch kind, word := kindOf(f); kind {
	case noValue:
		return ""
	case fileValue:
		return ":" + name + ":_files"
	case dirValue:
		return ":" + escape(name) + ":_files -/"
	case wordValue:
		return ":word:(" + word + ")"
	}
	return ":" + escape(name) + ": "
}

// zshSpellings returns the short and the long name of a flag. A long name with a value ends in "=".
func zshSpellings(f *pflag.Flag) string {
	s := "--" + f.Name
	if value, _ := describe(f); value != "" {
		s += "="
	}
	if f.Shorthand != "" {
		s = "-" + f.Shorthand + " " + s
	}
	return s
}

func writeFishCompletion(w io.Writer) {
	quote := func(s string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
	}
	fmt.Fprint(
		w,
		"# fish completion of wasport, printed by: wasport completion fish\n",
	)
	for _, c := range commands() {
		fmt.Fprintf(
			w,
			"complete -c wasport -f -n __fish_use_subcommand -a %s -d %s\n",
			c.name,
			quote(c.summary),
		)
	}
	for _, c := range commands() {
		prefix := fmt.Sprintf("complete -c wasport -n '__fish_seen_subcommand_from %s'", c.name)
		for _, word := range wordsOf(c.name) {
			fmt.Fprintf(w, "%s -f -a %s\n", prefix, word)
		}
		for _, f := range flagsOf(c) {
			_, summary := describe(f)
			short := ""
			if f.Shorthand != "" {
				short = " -s " + f.Shorthand
			}
			value := map[valueKind]string{
				noValue:   "",
				anyValue:  " -x",
				fileValue: " -r -F",
				dirValue:  " -x -a '(__fish_complete_directories)'",
			}
			kind, word := kindOf(f)
			if kind == wordValue {
				value[kind] = " -x -a " + word
			}
			fmt.Fprintf(w, "%s -l %s%s%s -d %s\n", prefix, f.Name, short, value[kind],
				quote(summary))
		}
	}
}
