package main

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPageOfPlugins(t *testing.T) {
	p, err := start(context.Background(), count)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		p.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/report", nil))
	}
	page := httptest.NewRecorder()
	p.ServeHTTP(page, httptest.NewRequest("GET", "/", nil))
	lines := strings.Split(strings.TrimSpace(page.Body.String()), "\n")
	if len(lines) != 1+count {
		t.Fatalf("got %d lines, want one for each of %d plug-ins:\n%s", len(lines), count,
			page.Body)
	}
	for n, want := range map[int]string{
		0: "plug-in 0 ready 2 0 12", 1: "plug-in 1 ready 0 2 0", 99: "plug-in 99 ready 2 0 12",
	} {
		if got := strings.Join(strings.Fields(lines[1+n]), " "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if err := p.close(); err != nil {
		t.Errorf("got %v from close, want nil", err)
	}
}
