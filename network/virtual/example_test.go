package virtual_test

import (
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/wasport/wasport/network/virtual"
)

// Two hosts, of which one serves HTTP. In place of either program may be a guest, if the host is
// its wasport.Config.Network.
func Example() {
	world := virtual.New()
	web, err := world.Host("web")
	if err != nil {
		log.Fatal(err)
	}
	browser, err := world.Host("browser")
	if err != nil {
		log.Fatal(err)
	}

	l, err := web.Listen("tcp", ":80")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello from", r.Host)
	}))

	client := http.Client{Transport: &http.Transport{DialContext: browser.DialContext}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://web/")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	fmt.Print(string(text))
	fmt.Println(err)
	// Output:
	// hello from web
	// <nil>
}
