package main

import (
	"context"
	"testing"
)

func TestRunOfDemoClient(t *testing.T) {
	status, err := run(context.Background(), "../../internal/guests/demo/demo_tcp_client.wasm")
	if status != 0 || err != nil {
		t.Errorf("got exit status %d, %v, want 0", status, err)
	}
	if _, err := run(context.Background(), "main.go"); err == nil {
		t.Error("a source file: got no error, want one")
	}
}
