module github.com/wasport/wasport/guest/go/wasmedge

go 1.26.8

require (
	github.com/stealthrocket/net v0.2.1
	github.com/wasport/wasport v0.0.0
)

require (
	github.com/pelletier/go-toml/v2 v2.4.3 // indirect
	github.com/stealthrocket/wasi-go v0.8.0 // indirect
	github.com/stealthrocket/wazergo v0.19.1 // indirect
	github.com/tetratelabs/wazero v1.12.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/time v0.16.0 // indirect
)

tool github.com/stealthrocket/wasi-go/cmd/wasirun

replace github.com/wasport/wasport => ../../..
