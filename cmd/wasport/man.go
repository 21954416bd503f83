package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

func manPage() page {
	return page{
		command: "man",
		before:  "wasport man prints the manual page of wasport: wasport man | man -l -\n",
	}
}

func runMan(args []string) error {
	rest, done, err := manPage().parse(args)
	if done || err != nil {
		return err
	}
	if len(rest) > 0 {
		return usage("", "man takes no arguments")
	}
	manual(os.Stdout)
	return nil
}

// roff makes text for man(7): a backslash, a hyphen that is to be found and copied as such, and
// what a line must not begin with.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

// manWriter prints a manual page in the macros of man(7).
type manWriter struct {
	io.Writer
	inText bool // else it stands below a title, which begins a paragraph by itself
}

// title begins a section (SH) or a subsection (SS).
func (w *manWriter) title(macro, text string) {
	fmt.Fprintf(w, ".%s \"%s\"\n", macro, roff(text))
	w.inText = false
}

// lines prints lines of a paragraph.
func (w *manWriter) lines(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintln(w, roff(line))
	}
}

// paragraph begins a paragraph.
func (w *manWriter) paragraph() {
	if w.inText {
		fmt.Fprint(w, ".PP\n")
	}
	w.inText = true
}

// example prints lines as they are.
func (w *manWriter) example(lines string) {
	w.paragraph()
	fmt.Fprint(w, ".nf\n")
	w.lines(lines)
	fmt.Fprint(w, ".fi\n")
}

// manual prints the manual page, made of the pages of the commands.
func manual(to io.Writer) {
	w := &manWriter{Writer: to}
	fmt.Fprint(w, ".\\\" Printed by: wasport man\n.TH WASPORT 1 \"\" wasport \"User Commands\"\n")
	fmt.Fprint(
		w,
		".SH NAME\nwasport \\- run WebAssembly modules on the host's network\n.SH SYNOPSIS\n",
	)
	for i, c := range commands() {
		if i > 0 {
			fmt.Fprint(w, ".br\n")
		}
		fmt.Fprintf(w, ".B wasport %s\n", roff(c.name))
		if c.args != "" {
			fmt.Fprintln(w, roff(c.args))
		}
	}
	fmt.Fprint(
		w,
		".SH DESCRIPTION\nwasport runs WebAssembly modules on the host's network, as far as they "+
			"are allowed to use it.\n",
	)
	told := make(map[string]bool) // cc and c++ have one page
	for _, c := range commands() {
		p := c.page()
		if told[p.command] {
			continue
		}
		told[p.command] = true
		w.title("SH", strings.ToUpper("wasport "+c.name))
		w.text(p.before)
		for _, g := range p.groups {
			w.group(g)
		}
		w.text(p.after)
	}
	fmt.Fprint(w, ".SH \"SEE ALSO\"\n.BR timeout (1),\n.BR strace (1)\n")
}

func (w *manWriter) group(g group) {
	w.title("SS", g.title)
	g.VisitAll(func(f *pflag.Flag) {
		flag := "--" + f.Name
		if f.Shorthand != "" {
			flag = "-" + f.Shorthand + ", " + flag
		}
		value, does := describe(f)
		fmt.Fprintf(w, ".TP\n\\fB%s\\fR", roff(flag))
		if value != "" {
			fmt.Fprintf(w, " \\fI%s\\fR", roff(value))
		}
		fmt.Fprintf(w, "\n%s\n", roff(does))
	})
	w.inText = true
	if g.note != "" {
		w.paragraph()
		w.lines(strings.ReplaceAll(strings.Trim(g.note, " \n"), "\n  ", "\n"))
	}
}

// text prints what a help says around its flags: paragraphs are filled, lines that are indented
// stay as they are, and a line alone with such lines below it is a title.
func (w *manWriter) text(text string) {
	for block := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		first, rest, _ := strings.Cut(block, "\n")
		switch {
		case block == "":
		case indented(first):
			w.example(block)
		case indented(rest):
			w.title("SS", strings.TrimSuffix(first, ":"))
			w.example(rest)
		default:
			w.paragraph()
			w.lines(block)
		}
	}
}

func indented(s string) bool { return strings.HasPrefix(s, "  ") }
