// Inmemory serves HTTP by a guest over a network in memory: the guest listens in a world of its
// own, where no port of the machine is opened.
//
//	GOOS=wasip1 GOARCH=wasm go build -o server.wasm ./examples/httpserver
//	go run ./examples/inmemory server.wasm
package main

import (
	"context"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/network/virtual"
	"github.com/wasport/wasport/policy"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: inmemory SERVER.wasm")
	}
	handler, err := handlerOf(context.Background(), os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", handler))
}

// handlerOf starts the server in a file as a guest, which ends with ctx, and returns it as a
// handler.
func handlerOf(ctx context.Context, file string) (http.Handler, error) {
	wasm, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	rt, err := wasport.NewRuntime(ctx, wasport.RuntimeConfig{})
	if err != nil {
		return nil, err
	}
	module, err := rt.Compile(ctx, wasm, wasport.CompileConfig{})
	if err != nil {
		return nil, err
	}
	world := virtual.New()
	web, _ := world.Host("web")
	front, _ := world.Host("front")
	rules, err := policy.Rules(policy.Listen(policy.TCP, policy.Any, 80))
	if err != nil {
		return nil, err
	}
	guest, err := module.Start(ctx, wasport.Config{
		Args: []string{"server", ":80"}, Stderr: os.Stderr, Network: web,
		Policy: policy.New(rules, policy.Limits{}),
	})
	if err != nil {
		return nil, err
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "web"})
	proxy.Transport = &http.Transport{DialContext: front.DialContext}
	ctx, cancel := context.WithCancelCause(ctx)
	go func() { // A guest that ends never listens.
		_, err := guest.Wait()
		cancel(err)
	}()
	return proxy, web.WaitListener(ctx, 80)
}
