package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/wasport/wasport/bench/internal/results"
)

// The sizes of a panel of the plot of crowds, in pixels, and the space to its left.
const (
	panelWidth, panelHeight, panelTop = 330, 260, 78
	panelMargin                       = 60
)

// panel is a plot of the processor time of a round trip over the size of a crowd, both in powers.
type panel struct {
	title, format string // the format of the workloads' names, with %d for the size
	left          float64
	sizes         []int
	least, most   float64 // binary logarithms of times
}

// plotCrowd draws what a round trip costs each server, over the number of guests or connections.
func plotCrowd(rows []results.Row) []byte {
	panels := []panel{
		{title: "guests, with a connection each", format: "guests_%d", left: panelMargin},
		{title: "connections of one guest, ten of them active", format: "poll%d_ten",
			left: 2*panelMargin + panelWidth},
	}
	c := newCanvas(2*(panelMargin+panelWidth)+30, panelTop+panelHeight+46)
	c.text(panelMargin, 16, "start",
		"processor time of the server for a round trip, in µs: less is better")
	servers := append([]string{"", baseServer}, otherHosts(rows)...)
	for i, name := range servers {
		if name == "" {
			name = "guests"
		}
		at := panelMargin + 110*float64(i)
		c.dot(crowdColours[i], at+4, 34, true)
		c.text(at+14, 38, "start", name)
	}
	for _, p := range panels {
		p.measure(rows)
		p.axes(c)
		for i, server := range servers {
			p.curve(c, rows, server, crowdColours[i])
		}
	}
	return c.end()
}

// crowdColours are those of guests, of the server in Go, and of others.
var crowdColours = []int{0, 2, 3, 4, 1}

// measure finds the sizes and the range of times.
func (p *panel) measure(rows []results.Row) {
	least, most := math.Inf(1), 0.0
	for _, r := range rows {
		if size, ok := p.sizeOf(r); ok {
			s := summarise(r)
			least = min(least, s.CPUEach, s.NativeCPUEach)
			most = max(most, s.CPUEach, s.NativeCPUEach)
			p.sizes = append(p.sizes, size)
		}
	}
	slices.Sort(p.sizes)
	p.sizes = slices.Compact(p.sizes)
	p.least, p.most = math.Floor(math.Log2(least)), math.Ceil(math.Log2(most))
}

func (p *panel) sizeOf(r results.Row) (size int, ok bool) {
	_, err := fmt.Sscanf(r.Workload, p.format, &size)
	return size, err == nil
}

func (p *panel) place(size int, usec float64) (x, y float64) {
	first, last := float64(p.sizes[0]), float64(p.sizes[len(p.sizes)-1])
	x = p.left + 20 + (panelWidth-40)*math.Log(float64(size)/first)/math.Log(last/first)
	y = panelTop + panelHeight*(p.most-math.Log2(usec))/(p.most-p.least)
	return x, y
}

func (p *panel) axes(c *canvas) {
	c.text(p.left, panelTop-18, "start", p.title)
	if len(p.sizes) < 2 {
		return
	}
	for power := p.least; power <= p.most; power++ {
		_, y := p.place(p.sizes[0], math.Exp2(power))
		c.line("grid", p.left, y, p.left+panelWidth, y)
		c.text(p.left-8, y+4, "end", fmt.Sprintf("%g", math.Exp2(power)))
	}
	for _, size := range p.sizes {
		x, _ := p.place(size, 1)
		c.line("grid", x, panelTop, x, panelTop+panelHeight)
		c.text(x, panelTop+panelHeight+18, "middle", thousands(size))
	}
}

// curve draws the times of a server.
func (p *panel) curve(c *canvas, rows []results.Row, server string, colour int) {
	var lastX, lastY float64
	for _, size := range p.sizes {
		usec := 0.0
		for _, r := range rows {
			if s, ok := p.sizeOf(r); !ok || s != size {
				continue
			}
			switch of := summarise(r); {
			case r.Host == server:
				usec = of.CPUEach
			case r.Host == "" && server == baseServer:
				usec = of.NativeCPUEach
			}
		}
		if usec == 0 || len(p.sizes) < 2 {
			continue
		}
		x, y := p.place(size, usec)
		if lastX != 0 {
			c.line(fmt.Sprint("line curve c", colour), lastX, lastY, x, y)
		}
		c.dot(colour, x, y, true)
		lastX, lastY = x, y
	}
}

// thousands formats a number with commas.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
