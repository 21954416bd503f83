// A program that only computes: its argument says what.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

func main() {
	digest, ok := map[string]func() uint32{
		"sha256": hash,
		"sort":   sorting,
		"map":    counting,
		"json":   decoding,
		"regexp": matching,
	}[os.Args[1]]
	if !ok {
		os.Exit(2)
	}
	fmt.Println(digest())
}

// numbers gives the same pseudo-random numbers to everybody.
func numbers(n int) []uint32 {
	list := make([]uint32, n)
	x := uint32(2463534242)
	for i := range list {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		list[i] = x
	}
	return list
}

func hash() uint32 {
	b := make([]byte, 1<<20)
	for i, n := range numbers(len(b)) {
		b[i] = byte(n)
	}
	var sum [sha256.Size]byte
	for range 8 {
		sum = sha256.Sum256(b)
		copy(b, sum[:])
	}
	return uint32(sum[0])<<8 | uint32(sum[1])
}

func sorting() uint32 {
	var d uint32
	for range 4 {
		list := numbers(200_000)
		slices.SortFunc(list, func(a, b uint32) int { return int(int64(a)-int64(b)) >> 8 })
		d = d*31 + list[1000]
	}
	return d
}

func counting() uint32 {
	m := map[uint32]uint32{}
	for _, n := range numbers(1_000_000) {
		m[n%10_007] += n
	}
	return m[77]
}

func decoding() uint32 {
	type entry struct {
		Name   string
		Values []int
		Nested map[string]any
	}
	var list []entry
	for i := range 2_000 {
		list = append(list, entry{fmt.Sprint("name", i), []int{i, i * i}, map[string]any{"a": i, "b": "text"}})
	}
	b, _ := json.Marshal(list)
	var d uint32
	for range 3 {
		var back []entry
		if json.Unmarshal(b, &back) != nil {
			return 0
		}
		d += uint32(len(back) + back[17].Values[1])
	}
	return d
}

func matching() uint32 {
	text := strings.Repeat("the quick brown fox 1234 jumps over 10.0.0.1 the lazy dog; mail a.b@example.org ", 400)
	d := 0
	for _, e := range []string{`[a-z.]+@[a-z]+\.org`, `(\d+)\.(\d+)\.(\d+)\.(\d+)`, `(?i)QUICK|LAZY`} {
		d = d*31 + len(regexp.MustCompile(e).FindAllString(text, -1))
	}
	return uint32(d)
}
