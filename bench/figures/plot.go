package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/wasport/wasport/bench/internal/results"
)

// The sizes of a plot, in pixels.
const (
	plotLeft, plotWidth, plotTop = 230, 560, 46
	lineHeight                   = 18
)

// The plot goes from a quarter of native speed to eight times as much, in steps of two.
const leastPower, mostPower = -2, 3

// x returns the place of a ratio.
func x(ratio float64) float64 {
	power := min(max(math.Log2(ratio), leastPower), mostPower)
	return plotLeft + plotWidth*(power-leastPower)/(mostPower-leastPower)
}

// plot draws the speed of guests, native programs having 1: the ratio of each workload as a dot,
// and its range as a line.
func plot(rows []results.Row) []byte {
	var b bytes.Buffer
	height := plotTop + lineHeight*len(rows) + 12
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" `+
		`font-family="sans-serif" font-size="12">`+"\n", plotLeft+plotWidth+30, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n"+
		`<text x="%d" y="16">speed of a guest, a native program having 1</text>`+"\n", plotLeft)
	for power := leastPower; power <= mostPower; power++ {
		ratio, colour := math.Exp2(float64(power)), "#ddd"
		if power == 0 {
			colour = "#888"
		}
		fmt.Fprintf(&b, `<line x1="%.0f" x2="%.0f" y1="%d" y2="%d" stroke="%s"/>`+"\n"+
			`<text x="%.0f" y="%d" text-anchor="middle">%g</text>`+"\n", x(ratio), x(ratio),
			plotTop-8, height-8, colour, x(ratio), plotTop-12, ratio)
	}
	for i, r := range rows {
		s := summarise(r)
		if !r.Rate { // of times, less is better
			s.Ratio, s.Low, s.High = 1/s.Ratio, 1/s.High, 1/s.Low
		}
		y := plotTop + lineHeight*i + lineHeight/2
		colour := map[bool]string{true: "#2b7a3d", false: "#b3402a"}[s.Ratio >= 1]
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s, %s</text>`+"\n"+
			`<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="%s" stroke-width="3" `+
			`stroke-opacity="0.4"/>`+"\n"+`<circle cx="%.1f" cy="%d" r="4" fill="%s"/>`+"\n",
			plotLeft-10, y+4, r.Workload, strings.ReplaceAll(r.Mode, "_", " "), x(s.Low), x(s.High),
			y, y, colour, x(s.Ratio), y, colour)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
