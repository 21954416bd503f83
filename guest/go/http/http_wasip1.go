package http

import (
	"net/http"
	"time"

	"github.com/wasport/wasport/guest/go/gonet"
)

func init() {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		dialer := &gonet.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
		t.DialContext = dialer.DialContext
	}
}
