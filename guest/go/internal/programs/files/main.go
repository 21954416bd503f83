// Command files prints the files that it is asked for: files PATH...
package main

import (
	"fmt"
	"os"
)

func main() {
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s: %s\n", path, text)
	}
}
