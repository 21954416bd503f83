// Package rustguest is the room of the crate wasport-net, with which Rust programs that run as
// guests have the sockets of std::net. It holds the crate's tests: they compile the crate, its
// examples and programs, natively and as guests, and compare what these print.
package rustguest
