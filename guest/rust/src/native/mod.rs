//! The sockets of `std::net`, and what it does not have.

#[cfg(unix)]
pub mod poll;

use std::io;
use std::net::SocketAddr;
use std::vec;

pub use std::net::{Incoming, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
#[cfg(unix)]
pub use std::os::unix::io::{AsFd, AsRawFd, FromRawFd, IntoRawFd, RawFd};

/// The addresses of a host, with the port 0. Returned by [`lookup_host`].
#[derive(Debug)]
pub struct LookupHost(vec::IntoIter<SocketAddr>);

impl Iterator for LookupHost {
    type Item = SocketAddr;

    fn next(&mut self) -> Option<SocketAddr> {
        self.0.next()
    }
}

/// Looks the addresses of a host up.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// let addrs: Vec<_> = wasport_net::lookup_host("localhost")?.collect();
/// assert!(addrs.iter().all(|a| a.ip().is_loopback() && a.port() == 0));
/// # Ok(())
/// # }
/// ```
pub fn lookup_host(host: &str) -> io::Result<LookupHost> {
    (host, 0).to_socket_addrs().map(LookupHost)
}
