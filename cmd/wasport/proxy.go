package main

import (
	"context"
	"errors"
	"net"

	"github.com/wasport/wasport/network"
	"github.com/wasport/wasport/network/dial"
	"github.com/wasport/wasport/network/kernel"
)

// parseProxy parses the value of --proxy. The errors do not repeat it, since it may have a
// password.
func (f *runFlags) parseProxy() (err error) {
	if f.proxy == "" {
		return nil
	}
	if f.kernel.Server != "" || f.kernel.Hosts != nil {
		return usageError("run", "--proxy has the proxy resolve names, --resolver and --hosts "+
			"resolve them here; leave one or the other out")
	}
	if f.connect, err = dial.Proxy(f.proxy, nil); err != nil {
		return usageError("run", "--proxy: %w", err)
	}
	return nil
}

// openNetwork returns the network of the host, or one that connects through the proxy.
func (f *runFlags) openNetwork() network.Network {
	host := kernel.New(f.kernel)
	if f.connect == nil {
		return host
	}
	return proxiedNetwork{host, dial.New(dial.Config{
		DialContext: f.reports.reportProxy(f.connect),
		Listen:      net.Listen,
	})}
}

// proxiedNetwork connects through a proxy. An address of the host is one for the guard all the
// same, since the proxy may be on the host.
type proxiedNetwork struct {
	network.Owner
	*dial.Network
}

// reportProxy prints the failures of the proxy itself. The guest learns only that it has no
// connection.
func (r *reports) reportProxy(connect dial.DialFunc) dial.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := connect(ctx, network, address)
		var failure *dial.ProxyError
		if errors.As(err, &failure) && failure.Target == "" {
			r.print(failure.Error(), "", "")
		}
		return c, err
	}
}
