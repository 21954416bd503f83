// Command goguest computes, with packages of Go's standard library: goguest
// sha256|sort|map|json|regexp ROUNDS. It says how many rounds there were and how many nanoseconds
// they took, as the programs in C do.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"
)

type record struct {
	Name   string            `json:"name"`
	Values []int             `json:"values"`
	Labels map[string]string `json:"labels"`
}

var kinds = map[string]func(rounds int) any{
	"sha256": func(rounds int) any {
		block := make([]byte, 64<<10)
		for range rounds {
			sum := sha256.Sum256(block)
			copy(block, sum[:])
		}
		return block[:4]
	},
	"sort": func(rounds int) any {
		numbers := make([]uint32, 1<<15)
		x := uint32(1)
		for range rounds {
			for i := range numbers {
				x = x*1664525 + 1013904223
				numbers[i] = x
			}
			slices.Sort(numbers)
		}
		return numbers[0]
	},
	"map": func(rounds int) any {
		total := 0
		for range rounds {
			m := make(map[int]int)
			for i := range 1 << 14 {
				m[i*7919%(1<<16)] += i
			}
			total += len(m)
		}
		return total
	},
	"json": func(rounds int) any {
		r := record{Name: "a record", Labels: map[string]string{"one": "1", "two": "2"}}
		for i := range 1000 {
			r.Values = append(r.Values, i*i)
		}
		size := 0
		for range rounds * 10 {
			text, err := json.Marshal(r)
			if err == nil {
				err = json.Unmarshal(text, &r)
			}
			if err != nil {
				panic(err)
			}
			size += len(text)
		}
		return size
	},
	"regexp": func(rounds int) any {
		re := regexp.MustCompile(`([a-z]+)@([a-z]+)\.(com|org)`)
		var text []byte
		for i := range 500 {
			text = fmt.Appendf(text, "someone%d wrote to user@example.org on day %d, ", i, i)
		}
		found := 0
		for range rounds {
			found += len(re.FindAllIndex(text, -1))
		}
		return found
	},
}

func main() {
	if len(os.Args) != 3 || kinds[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: goguest sha256|sort|map|json|regexp ROUNDS")
		os.Exit(2)
	}
	rounds, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	start := time.Now()
	digest := kinds[os.Args[1]](rounds)
	fmt.Println("result", rounds, time.Since(start).Nanoseconds())
	fmt.Println("digest", digest)
}
