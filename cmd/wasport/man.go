package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

func manPage() page {
	return page{
		command: "man",
		before:  "wasport man prints the manual page: wasport man | man -l -\n",
	}
}

// runMan is the subcommand man.
func runMan(args []string) error {
	rest, done, err := manPage().parse(args)
	if done || err != nil {
		return err
	}
	if len(rest) > 0 {
		return usageError("", "man takes no arguments")
	}
	writeManual(stdout)
	return nil
}

// escapeRoff escapes text for man(7): backslashes, hyphens, which groff would otherwise print as
// U+2010, and a control character at the beginning of a line (groff(7)).
func escapeRoff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

// manWriter prints a manual page in the macros of man(7).
type manWriter struct {
	io.Writer
	// inText is false below a title, which begins a paragraph by itself.
	inText bool
}

// title begins a section (SH) or a subsection (SS).
func (w *manWriter) title(macro, text string) {
	fmt.Fprintf(w, ".%s \"%s\"\n", macro, escapeRoff(text))
	w.inText = false
}

// lines prints lines of a paragraph.
func (w *manWriter) lines(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintln(w, escapeRoff(line))
	}
}

// paragraph begins a paragraph.
func (w *manWriter) paragraph() {
	if w.inText {
		fmt.Fprint(w, ".PP\n")
	}
	w.inText = true
}

// example prints lines without filling them.
func (w *manWriter) example(lines string) {
	w.paragraph()
	fmt.Fprint(w, ".nf\n")
	w.lines(lines)
	fmt.Fprint(w, ".fi\n")
}

// writeManual prints the manual page, made of the pages of the commands.
func writeManual(to io.Writer) {
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
		fmt.Fprintf(w, ".B wasport %s\n", escapeRoff(c.name))
		if c.args != "" {
			fmt.Fprintln(w, escapeRoff(c.args))
		}
	}
	fmt.Fprint(
		w,
		".SH DESCRIPTION\n"+commandSummary+"\n",
	)
	printed := make(map[string]bool) // cc and c++ share a page
	for _, c := range commands() {
		p := c.page()
		if printed[p.command] {
			continue
		}
		printed[p.command] = true
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
		value, summary := describe(f)
		fmt.Fprintf(w, ".TP\n\\fB%s\\fR", escapeRoff(flag))
		if value != "" {
			fmt.Fprintf(w, " \\fI%s\\fR", escapeRoff(value))
		}
		fmt.Fprintf(w, "\n%s\n", escapeRoff(summary))
	})
	w.inText = true
	if g.note != "" {
		w.paragraph()
		w.lines(strings.ReplaceAll(strings.Trim(g.note, " \n"), "\n  ", "\n"))
	}
}

// text prints the text before or after a help's flags. It fills paragraphs and keeps indented
// lines. A single line above indented lines is a title.
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
