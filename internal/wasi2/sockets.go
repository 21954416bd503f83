package wasi2

// sockets are the resources of wasi:sockets.
type sockets struct{}

func socketTables() []*table { return nil }
