module github.com/wasport/wasport/bench/peers

go 1.26.8

require github.com/samyfodil/wazy v0.7.0

require golang.org/x/sys v0.44.0 // indirect
