//! The sockets of `std::net` for Rust programs that run as wasport's guests.
//!
//! `std::net` of the target `wasm32-wasip1` (`wasm32-wasi` until Rust 1.78) opens no sockets: each
//! `connect` and `bind` there is an error of the kind `Unsupported`. This crate has the same types,
//! with the same methods and traits, on the socket functions that wasport offers its guests. What
//! a program may reach is up to the policy it runs under; what that refuses is an error of the
//! kind [`PermissionDenied`](std::io::ErrorKind::PermissionDenied).
//!
//! On other targets the types are those of `std::net`, so that a program also compiles natively:
//!
//! ```
//! use std::io::{Read, Write};
//! use wasport_net::{TcpListener, TcpStream};
//!
//! # fn main() -> std::io::Result<()> {
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let mut client = TcpStream::connect(listener.local_addr()?)?;
//! let (mut server, from) = listener.accept()?;
//! assert_eq!(from, client.local_addr()?);
//!
//! client.write_all(b"ping")?;
//! let mut text = [0; 4];
//! server.read_exact(&mut text)?;
//! assert_eq!(&text, b"ping");
//! # Ok(())
//! # }
//! ```
//!
//! # Waiting for several sockets
//!
//! The target has one thread, and a call that blocks stops the program. A server for several
//! connections has its sockets in non-blocking mode and waits for them with [`poll`]; the example
//! `echo.rs` of this crate does so.
//!
//! # Differences from `std::net` of Linux
//!
//! - `try_clone` shares one descriptor, since WASI preview 1 cannot duplicate one. The last clone
//!   closes it; `as_raw_fd` of all is the same number.
//! - An address with a `scope_id` is refused as `InvalidInput`: the host's functions have no room
//!   for it.
//! - A name that does not exist is an error of the kind `NotFound`, and one that nobody answered
//!   for is `TimedOut`. Those of `std::net` have a kind without a name.
//! - A read into an empty buffer returns 0 at once.
//! - Errors carry the numbers of WASI in `raw_os_error`.

// WASI 0.2 has sockets of its own, which std::net uses.
#[cfg(all(target_os = "wasi", not(target_env = "p2")))]
#[path = "guest/mod.rs"]
mod system;
#[cfg(not(all(target_os = "wasi", not(target_env = "p2"))))]
#[path = "native/mod.rs"]
mod system;

#[cfg(any(unix, all(target_os = "wasi", not(target_env = "p2"))))]
mod poll;

#[cfg(any(unix, all(target_os = "wasi", not(target_env = "p2"))))]
pub use {
    poll::{poll, PollFd},
    system::{AsFd, AsRawFd, FromRawFd, IntoRawFd, RawFd},
};

pub use system::{
    lookup_host, Incoming, LookupHost, TcpListener, TcpStream, ToSocketAddrs, UdpSocket,
};

pub use std::net::{
    AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6,
};
