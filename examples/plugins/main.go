// Command plugins runs 100 plug-ins and serves a page with their counters.
//
//	plugins ADDRESS
//
// Each plug-in is an instance of the same module, with a policy of its own: every third one may
// connect to the program's collector. POST /report calls all of them, one after the other.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"text/tabwriter"

	"github.com/wasport/wasport"
	"github.com/wasport/wasport/policy"
)

// plugin.wasm is made of src/plugin.c, by
//
//	wasport cc -mexec-model=reactor -Wl,--export=malloc,--export=free src/plugin.c -o plugin.wasm
//
//go:embed plugin.wasm
var plugin []byte

const count = 100

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: plugins ADDRESS")
	}
	p, err := start(context.Background(), count)
	if err != nil {
		log.Fatal(err)
	}
	defer p.close()
	log.Fatal(http.ListenAndServe(os.Args[1], p))
}

// plugins are the instances, and the collector that some of them may connect to.
type plugins struct {
	runtime   *wasport.Runtime
	collector net.Listener
	lines     atomic.Uint64 // that the collector has received
	instances []*wasport.Instance
}

func start(ctx context.Context, count int) (p *plugins, err error) {
	p = &plugins{}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.collector, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return p, err
	}
	go p.collect()
	if p.runtime, err = wasport.NewRuntime(ctx, wasport.RuntimeConfig{}); err != nil {
		return p, err
	}
	module, err := p.runtime.Compile(ctx, plugin, wasport.CompileConfig{})
	if err != nil {
		return p, err
	}
	to := p.collector.Addr().(*net.TCPAddr).AddrPort()
	allowed, err := policy.Rules(policy.Connect(policy.TCP, to.Addr(), int(to.Port())))
	if err != nil {
		return p, err
	}
	for n := range count {
		c := wasport.Config{Name: fmt.Sprintf("plug-in %d", n), MaxMemory: 4 << 20}
		if n%3 == 0 {
			c.Policy = policy.New(allowed, policy.Limits{})
		}
		i, err := module.Instantiate(ctx, c)
		if err != nil {
			return p, fmt.Errorf("%s: %w", c.Name, err)
		}
		p.instances = append(p.instances, i)
	}
	return p, nil
}

func (p *plugins) close() error {
	var errs []error
	for _, i := range p.instances {
		errs = append(errs, i.Close())
	}
	if p.runtime != nil {
		errs = append(errs, p.runtime.Close(context.Background()))
	}
	if p.collector != nil {
		errs = append(errs, p.collector.Close())
	}
	return errors.Join(errs...)
}

// collect counts the lines that plug-ins send.
func (p *plugins) collect() {
	for {
		conn, err := p.collector.Accept()
		if err != nil {
			return
		}
		if line, err := io.ReadAll(conn); err == nil && string(line) == "hello\n" {
			p.lines.Add(1)
		}
		conn.Close()
	}
}

func (p *plugins) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		port := p.collector.Addr().(*net.TCPAddr).Port
		for _, i := range p.instances {
			// A plug-in that has failed, or takes longer than the request, is shown on the page.
			i.Call(r.Context(), "report", uint64(port))
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "name\tstate\tallowed\tdenied\tbytes sent")
	for _, i := range p.instances {
		state := "ready"
		if err := i.Err(); err != nil {
			state = err.Error()
		}
		c := i.Counters()
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\n", i.Name(), state, c.Allowed[policy.OpConnect],
			c.Denied[policy.OpConnect], c.SentBytes)
	}
}
