//go:build wasip1

// Command web is an HTTP server and client on WasmEdge's socket functions:
//
//	web serve ADDR    serves "hello NAME" at http://ADDR/NAME, and prints its address
//	web get URL N     fetches N pages at once, and prints how many answers were right
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	_ "github.com/stealthrocket/net/http"
	"github.com/stealthrocket/net/wasip1"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println("web:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 2 && args[0] == "serve" {
		l, err := wasip1.Listen("tcp", args[1])
		if err != nil {
			return err
		}
		fmt.Println(l.Addr())
		return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "hello %s", strings.TrimPrefix(r.URL.Path, "/"))
		}))
	}
	if len(args) == 3 && args[0] == "get" {
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return get(args[1], n)
	}
	return fmt.Errorf("web serve ADDR, or web get URL N")
}

func get(url string, n int) error {
	var all sync.WaitGroup
	errs := make(chan error, n)
	for i := range n {
		all.Go(func() {
			r, err := http.Get(url + "/" + strconv.Itoa(i))
			if err != nil {
				errs <- err
				return
			}
			defer r.Body.Close()
			body, err := io.ReadAll(r.Body)
			if want := "hello " + strconv.Itoa(i); err != nil || string(body) != want {
				errs <- fmt.Errorf("got %q, %v, want %q", body, err, want)
			}
		})
	}
	all.Wait()
	close(errs)
	fmt.Println(n-len(errs), "answers")
	return <-errs
}
