// Command web serves and fetches over HTTP, natively or as a guest:
//
//	web serve ADDR    serves "hello NAME" at http://ADDR/NAME, and prints its address
//	web get URL N     fetches a page N times at once, and prints how many answers were right
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wasport/wasport/guest/go/gonet"
	_ "github.com/wasport/wasport/guest/go/http"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "serve":
		l, err := gonet.Listen("tcp", args[1])
		if err != nil {
			return err
		}
		fmt.Println(l.Addr())
		return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "hello %s", strings.TrimPrefix(r.URL.Path, "/"))
		}))
	case len(args) == 3 && args[0] == "get":
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return get(args[1], n)
	}
	return fmt.Errorf("web serve ADDR, or web get URL N")
}

func get(url string, n int) error {
	var right atomic.Int32
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
			if err != nil || string(body) != "hello "+strconv.Itoa(i) {
				errs <- fmt.Errorf("got %q, %v", body, err)
				return
			}
			right.Add(1)
		})
	}
	all.Wait()
	fmt.Println(right.Load(), "answers")
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}
