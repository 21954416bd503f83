package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

const completionBefore = `wasport completion bash|zsh|fish prints what completes command lines in a shell.

  bash: source <(wasport completion bash)           in ~/.bashrc
  zsh:  wasport completion zsh > _wasport           in a directory of $fpath
  fish: wasport completion fish > wasport.fish      in ~/.config/fish/completions
`

func completionPage() page { return page{command: "completion", before: completionBefore} }

func runCompletion(args []string) error {
	rest, done, err := completionPage().parse(args)
	if done || err != nil {
		return err
	}
	switch strings.Join(rest, " ") {
	case "bash":
		bashCompletion(os.Stdout)
	case "zsh":
		zshCompletion(os.Stdout)
	case "fish":
		fishCompletion(os.Stdout)
	default:
		return usage("completion", "name one shell: wasport completion bash, zsh or fish")
	}
	return nil
}

// valueKind is what the value of a flag, or a word of a command, is completed with.
type valueKind int

const (
	noValue valueKind = iota // the flag takes none
	anyValue
	fileValue
	dirValue
	wordValue // one of some words
)

// kindOf tells what a flag takes, by the name of its value in the help: a FILE, a directory, or a
// word in small letters that stands for itself.
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

// wordsOf are the words that may follow a command, if they are known.
func wordsOf(command string) []string {
	switch command {
	case "policy":
		return []string{"check", "explain", "fmt"}
	case "completion":
		return []string{"bash", "zsh", "fish"}
	case "help":
		var names []string
		for _, c := range commands() {
			names = append(names, c.name)
		}
		return names
	}
	return nil
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

// namesOf lists the spellings of the flags of some kinds.
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

// bashCompletion leaves files to bash itself, by -o default.
func bashCompletion(w io.Writer) {
	fmt.Fprint(
		w,
		`# What completes the command lines of wasport in bash; printed by: wasport completion bash
_wasport() {
	# bash takes "=" and ":" for words of their own in COMP_WORDS, and completes what follows them.
	local cur=${COMP_WORDS[COMP_CWORD]} prev flags valued dirs words value own line i n
	read -ra line <<< "${COMP_LINE:0:COMP_POINT}."
	(( n = ${#line[@]} - 1 ))
	prev=${line[n-1]}
	[[ ${line[n]} == --*=* ]] && prev=${line[n]%%=*}
	[[ $cur == = || $cur == : ]] && cur=
	COMPREPLY=()
	if (( n == 1 )); then
`,
	)
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	fmt.Fprintf(
		w,
		"\t\tCOMPREPLY=($(compgen -W '%s' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase ${line[1]} in\n",
		strings.Join(names, " "),
	)
	for _, c := range commands() {
		flags := flagsOf(c)
		fmt.Fprintf(
			w,
			"\t%s)\n\t\tflags='%s'\n",
			c.name,
			namesOf(flags, noValue, anyValue, fileValue, dirValue, wordValue),
		)
		fmt.Fprintf(
			w,
			"\t\tvalued='%s'\n",
			namesOf(flags, anyValue, fileValue, dirValue, wordValue),
		)
		fmt.Fprintf(
			w,
			"\t\tdirs='%s'\n\t\twords='%s'\n",
			namesOf(flags, dirValue),
			strings.Join(wordsOf(c.name), " "),
		)
		if c.page().ownWords {
			fmt.Fprint(w, "\t\town=1\n")
		}
		for _, f := range flags {
			if kind, word := kindOf(f); kind == wordValue {
				fmt.Fprintf(w, "\t\t[[ $prev == --%s ]] && value='%s'\n", f.Name, word)
			}
		}
		fmt.Fprint(w, "\t\t;;\n")
	}
	fmt.Fprint(w, `	esac
	# The words from a module on are its own.
	if [[ $own ]]; then
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
`)
}

// zshCompletion is for zsh's _arguments; see zshcompsys(1).
func zshCompletion(w io.Writer) {
	escape := strings.NewReplacer("'", `'\''`, "[", `\[`, "]", `\]`, ":", `\:`).Replace
	fmt.Fprint(
		w,
		"#compdef wasport\n# Printed by: wasport completion zsh\n_wasport() {\n\tlocal -a "+
			"commands\n\tcommands=(\n",
	)
	for _, c := range commands() {
		fmt.Fprintf(w, "\t\t'%s:%s'\n", c.name, escape(c.does))
	}
	fmt.Fprint(
		w,
		"\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n"+
			"\tlocal command=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n\tcase $command in\n",
	)
	for _, c := range commands() {
		p := c.page()
		fmt.Fprintf(w, "\t%s)\n\t\t_arguments", c.name)
		if p.ownWords {
			fmt.Fprint(w, " -A '-*'")
		}
		for _, f := range flagsOf(c) {
			_, does := describe(f)
			for _, name := range strings.Fields(spellings(f)) {
				fmt.Fprintf(w, " \\\n\t\t\t'*%s[%s]%s'", name, escape(does), zshValue(f, escape))
			}
		}
		words := "'*:file:_files'"
		if known := wordsOf(c.name); known != nil {
			words = fmt.Sprintf("'1:word:(%s)' '*:file:_files'", strings.Join(known, " "))
		} else if p.ownWords || c.name == "inspect" {
			words = `'1:module:_files -g "*.wasm"' '*:file:_files'`
		}
		fmt.Fprintf(w, " \\\n\t\t\t%s\n\t\t;;\n", words)
	}
	fmt.Fprint(w, "\tesac\n}\ncompdef _wasport wasport\n")
}

// zshValue is what follows a flag's description for zsh.
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

// spellings are those of one flag; for zsh one with a value ends in "=" if it is long.
func spellings(f *pflag.Flag) string {
	s := "--" + f.Name
	if value, _ := describe(f); value != "" {
		s += "="
	}
	if f.Shorthand != "" {
		s = "-" + f.Shorthand + " " + s
	}
	return s
}

func fishCompletion(w io.Writer) {
	quote := func(s string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
	}
	fmt.Fprint(
		w,
		"# What completes the command lines of wasport in fish; printed by: wasport completion "+
			"fish\n",
	)
	for _, c := range commands() {
		fmt.Fprintf(
			w,
			"complete -c wasport -f -n __fish_use_subcommand -a %s -d %s\n",
			c.name,
			quote(c.does),
		)
	}
	for _, c := range commands() {
		prefix := fmt.Sprintf("complete -c wasport -n '__fish_seen_subcommand_from %s'", c.name)
		for _, word := range wordsOf(c.name) {
			fmt.Fprintf(w, "%s -f -a %s\n", prefix, word)
		}
		for _, f := range flagsOf(c) {
			_, does := describe(f)
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
			fmt.Fprintf(w, "%s -l %s%s%s -d %s\n", prefix, f.Name, short, value[kind], quote(does))
		}
	}
}
