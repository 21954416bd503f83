package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/wasport/wasport/bench/internal/results"
)

// The sizes of a plot of ratios, in pixels.
const (
	plotLeft, plotWidth, plotTop = 250, 540, 64
	lineHeight                   = 18
)

// Such a plot goes from a quarter of native speed to eight times as much, in steps of two.
const leastPower, mostPower = -2, 3

// x returns the place of a ratio.
func x(ratio float64) float64 {
	power := min(max(math.Log2(ratio), leastPower), mostPower)
	return plotLeft + plotWidth*(power-leastPower)/(mostPower-leastPower)
}

// plotRatios draws the speed of guests, native programs having 1: the ratio of each workload as a
// dot, and its range as a line. Other hosts have circles on the same lines.
func plotRatios(rows []results.Row) []byte {
	hosts := otherHosts(rows)
	guests := slices.DeleteFunc(slices.Clone(rows),
		func(r results.Row) bool { return r.Host != "" })
	height := plotTop + lineHeight*len(guests)
	c := newCanvas(plotLeft+plotWidth+30, height+12)
	c.text(plotLeft, 16, "start", "speed, a native program having 1, with its range")
	legend := []string{"guest, faster", "guest, slower"}
	for i, name := range append(legend, hosts...) {
		at := plotLeft + 110*float64(i)
		c.dot(i, at+4, 30, i < len(legend))
		c.text(at+14, 34, "start", name)
	}
	for power := leastPower; power <= mostPower; power++ {
		ratio, class := math.Exp2(float64(power)), "grid"
		if power == 0 {
			class = "one"
		}
		c.line(class, x(ratio), plotTop-4, x(ratio), float64(height)+4)
		c.text(x(ratio), plotTop-8, "middle", fmt.Sprintf("%g", ratio))
	}
	for i, r := range guests {
		y := float64(plotTop + lineHeight*i + lineHeight/2)
		c.text(plotLeft-10, y+4, "end", r.Workload+", "+spaced(r.Mode))
		s, colour := speed(r), 0
		if s.Ratio < 1 {
			colour = 1
		}
		c.line(fmt.Sprint("line range c", colour), x(s.Low), y, x(s.High), y)
		c.dot(colour, x(s.Ratio), y, true)
		for i, h := range hosts {
			r.Host = h
			if at := slices.IndexFunc(rows, r.Same); at >= 0 {
				c.dot(len(legend)+i, x(speed(rows[at]).Ratio), y, false)
			}
		}
	}
	return c.end()
}

// speed summarises a row so that more is better.
func speed(r results.Row) results.Run {
	s := summarise(r)
	if !r.Rate {
		s.Ratio, s.Low, s.High = 1/s.Ratio, 1/s.High, 1/s.Low
	}
	return s
}
