//go:build wasip1

// Httpserver is an HTTP server for WASI preview 1, as Go compiles it: it serves on a listener that
// it is handed.
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
)

func main() {
	// Descriptor 3 follows the standard streams, since the guest has no directories.
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello %s, from WebAssembly\n", r.URL.Path[1:])
	})))
}
