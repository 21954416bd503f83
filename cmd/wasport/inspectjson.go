package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/wasport/wasport"
)

// inspection is the output of inspect --json. docs/flags.md documents its fields.
type inspection struct {
	File     string            `json:"file"`
	Bytes    int               `json:"bytes"`
	Kind     string            `json:"kind"`
	Dialects []wasport.Dialect `json:"dialects"`
	Go       bool              `json:"go"`
	Imports  []inspectedImport `json:"imports"`
	Exports  []inspectedExport `json:"exports"`
	Memory   *inspectedMemory  `json:"memory"`
	Runnable bool              `json:"runnable"`
	Start    bool              `json:"start"`
	Reason   string            `json:"reason,omitempty"`
}

type inspectedImport struct {
	Module string `json:"module"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	Have   string `json:"have"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

type inspectedExport struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type inspectedMemory struct {
	Min    uint64 `json:"min"`
	Max    uint64 `json:"max"`
	Import string `json:"import,omitempty"`
	Shared bool   `json:"shared"`
}

func printJSON(w io.Writer, file string, size int, mod *wasport.Module, imports []wasport.Import,
	v verdict) error {
	out := inspection{
		File: file, Bytes: size, Kind: mod.Kind().String(),
		Dialects: append([]wasport.Dialect{}, wasport.Dialects(imports)...),
		Go:       mod.ByGo(),
		Imports:  []inspectedImport{}, Exports: []inspectedExport{},
		Runnable: v.runnable, Start: v.start, Reason: v.reason,
	}
	for _, i := range imports {
		out.Imports = append(out.Imports, inspectedImport{i.Module, i.Name, i.Want, i.Have, i.OK(),
			i.Reason})
	}
	for _, f := range mod.Functions() {
		out.Exports = append(out.Exports, inspectedExport{f.Name, f.Signature()})
	}
	if m, ok := mod.Memory(); ok {
		out.Memory = &inspectedMemory{m.Min, m.Max, m.Import, m.Shared}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, escapeNonASCII(text.String()))
	return err
}

// escapeNonASCII replaces DEL and everything beyond ASCII in JSON by equal escapes (RFC 8259, 7): a
// module's names may contain characters that terminals obey.
func escapeNonASCII(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return b.String()
}
