module github.com/wasport/wasport/bench

go 1.26.8

require (
	github.com/tetratelabs/wazero v1.12.0
	github.com/wasport/wasport v0.0.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/pelletier/go-toml/v2 v2.4.3 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/time v0.16.0 // indirect
)

replace github.com/wasport/wasport => ../
