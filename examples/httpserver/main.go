//go:build wasip1

// Httpserver is an HTTP server for WASI preview 1, as Go compiles it. It serves on the address that
// is its argument, or else on a listener that it is handed.
//
//	GOOS=wasip1 GOARCH=wasm go build -o server.wasm ./examples/httpserver
//	wasport run --listen tcp://127.0.0.1:8080 server.wasm
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/wasport/wasport/guest/go/gonet"
)

func main() {
	listener, err := listen()
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello %s, from WebAssembly\n", r.URL.Path[1:])
	})))
}

func listen() (net.Listener, error) {
	if len(os.Args) > 1 {
		return gonet.Listen("tcp", os.Args[1])
	}
	// Descriptor 3 follows the standard streams, since the guest has no directories.
	return net.FileListener(os.NewFile(3, "listener"))
}
