// Package rustguest tests the crate wasport-net, which gives Rust programs that run as guests the
// sockets of std::net. The tests compile the crate, its examples and test programs, natively and as
// guests, and compare their outputs. The package has no code of its own.
package rustguest
