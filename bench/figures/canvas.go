package main

import (
	"bytes"
	"fmt"
)

// colours are those of lines and dots, on a light and on a dark page. Text has a colour of its own.
const colours = `<style>
text { fill: #24292f; font: 12px sans-serif }
.grid { stroke: #d0d7de } .one { stroke: #6e7781; stroke-dasharray: 4 3 }
.c0 { color: #1a7f37 } .c1 { color: #cf222e } .c2 { color: #0969da } .c3 { color: #9a6700 }
.c4 { color: #8250df }
.dot { fill: currentColor } .range { stroke-width: 3px; stroke-opacity: 0.4 }
.curve { stroke-width: 2px } .line { stroke: currentColor; fill: none }
.back { fill: #fff }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .back { fill: #0d1117 }
.grid { stroke: #30363d } .one { stroke: #8b949e }
.c0 { color: #3fb950 } .c1 { color: #ff7b72 } .c2 { color: #58a6ff } .c3 { color: #d29922 }
.c4 { color: #bc8cff }
}
</style>
`

// canvas is a picture that grows.
type canvas struct{ bytes.Buffer }

func newCanvas(width, height int) *canvas {
	var c canvas
	fmt.Fprintf(&c, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" `+
		`viewBox="0 0 %d %d">`+"\n%s"+`<rect class="back" width="100%%" height="100%%"/>`+"\n",
		width, height, width, height, colours)
	return &c
}

func (c *canvas) end() []byte {
	c.WriteString("</svg>\n")
	return c.Bytes()
}

// text writes at a place; anchor is start, middle or end.
func (c *canvas) text(x, y float64, anchor, text string) {
	fmt.Fprintf(c, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, text)
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(c, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", class,
		x1, y1, x2, y2)
}

// dot draws a circle in a colour, or its edge alone.
func (c *canvas) dot(colour int, x, y float64, filled bool) {
	class := "line"
	if filled {
		class = "dot"
	}
	fmt.Fprintf(c, `<circle class="%s c%d" cx="%.1f" cy="%.1f" r="4"/>`+"\n", class, colour, x, y)
}
