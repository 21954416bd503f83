//! The sockets of wasport's guests.

mod addr;
mod host;
mod listener;
mod lookup;
pub mod poll;
mod socket;
mod tcp;
mod to_addrs;
mod udp;

pub use listener::{Incoming, TcpListener};
pub use lookup::{lookup_host, LookupHost};
pub use std::os::wasi::io::{AsFd, AsRawFd, FromRawFd, IntoRawFd, RawFd};
pub use tcp::TcpStream;
pub use to_addrs::ToSocketAddrs;
pub use udp::UdpSocket;
