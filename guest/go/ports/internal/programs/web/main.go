// Command web is an HTTP server and client, natively or as a guest:
//
//	web serve CERT KEY      serves HTTP/1.1 and HTTP/2 without and with TLS, prints both addresses
//	web get PROTOCOL URL    fetches, by "http1", "h2", or "h2c", which is HTTP/2 without TLS
//
// The certificates of authorities come from the directory that SSL_CERT_DIR names, or from ROOTS,
// which stands for a text that is embedded in a program.
package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

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
	case len(args) == 3 && args[0] == "serve":
		return serve(args[1], args[2])
	case len(args) == 3 && args[0] == "get":
		return get(args[1], args[2])
	}
	return fmt.Errorf("web serve CERT KEY, or web get PROTOCOL URL")
}

func protocols(names string) *http.Protocols {
	var p http.Protocols
	for name := range strings.FieldsSeq(names) {
		switch name {
		case "http1":
			p.SetHTTP1(true)
		case "h2":
			p.SetHTTP2(true)
		case "h2c":
			p.SetUnencryptedHTTP2(true)
		}
	}
	return &p
}

func serve(cert, key string) error {
	plain, err := gonet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	secure, err := gonet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Protocols: protocols("http1 h2 h2c"), Handler: http.HandlerFunc(answer)}
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(plain) }()
	go func() { failed <- server.ServeTLS(secure, cert, key) }()
	fmt.Println(plain.Addr(), secure.Addr())
	return <-failed
}

// answer writes the request line, and the length and the checksum of the body.
func answer(w http.ResponseWriter, r *http.Request) {
	sum := sha256.New()
	n, err := io.Copy(sum, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Trailer", "Bytes")
	fmt.Fprintf(w, "%s %s %s: %d bytes, %x\n", r.Proto, r.Method, r.URL.Path, n, sum.Sum(nil)[:8])
	w.Header().Set("Bytes", fmt.Sprint(n))
}

func get(protocol, url string) error {
	transport := http.DefaultTransport.(*http.Transport)
	transport.Protocols = protocols(protocol)
	if roots := os.Getenv("ROOTS"); roots != "" {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM([]byte(roots))
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	for _, size := range []int{0, 10, 100_000, 3_000_000} { // more than HTTP/2's first windows
		body := strings.NewReader(strings.Repeat("wasport ", size/8))
		r, err := http.Post(fmt.Sprintf("%s/%d", url, size), "text/plain", body)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return err
		}
		fmt.Printf("%s %s, TLS %t, trailer %s: %s", r.Proto, r.Status, r.TLS != nil,
			r.Trailer.Get("Bytes"), text)
	}
	return nil
}
