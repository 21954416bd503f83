// Package ports runs programs on well-known Go modules as guests, against real servers: HTTP/1.1
// and HTTP/2 by net/http, go-redis, pgx, gRPC and a DNS library. The only change for
// wasport in a program is a dial function or a listener of package gonet, or the import of
// guest/go/http.
//
// It is a module of its own so that wasport's has none of these dependencies. Its tests run each
// program natively and as a guest and compare the outputs:
//
//	go test ./...
//
// They start redis-server and PostgreSQL themselves, of Debian's packages redis-server and
// postgresql, on free ports of loopback and in directories that are deleted afterwards.
package ports
