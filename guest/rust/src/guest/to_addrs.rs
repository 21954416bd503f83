//! The trait of what can be turned into addresses.

use super::lookup;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::{iter, option, slice, vec};

/// What can be turned into addresses of sockets, names among it. It is implemented for the same
/// types as `std::net::ToSocketAddrs`, which is another trait since `std` looks up no names on
/// this target.
///
/// ```
/// use wasport_net::ToSocketAddrs;
///
/// # fn main() -> std::io::Result<()> {
/// let mut addrs = "[::1]:80".to_socket_addrs()?;
/// assert_eq!(addrs.next(), Some("[::1]:80".parse().unwrap()));
/// for addr in ("localhost", 80).to_socket_addrs()? {
///     assert!(addr.ip().is_loopback() && addr.port() == 80);
/// }
/// assert!("localhost".to_socket_addrs().is_err()); // no port
/// # Ok(())
/// # }
/// ```
pub trait ToSocketAddrs {
    /// The type of the iterator over the addresses.
    type Iter: Iterator<Item = SocketAddr>;

    /// Returns the addresses, after a lookup if a name is among them.
    fn to_socket_addrs(&self) -> io::Result<Self::Iter>;
}

/// Calls `call` with one address after the other until it succeeds, and returns the last error.
pub fn each_addr<A: ToSocketAddrs, T>(
    addrs: A,
    mut call: impl FnMut(&SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = None;
    for addr in addrs.to_socket_addrs()? {
        match call(&addr) {
            Ok(result) => return Ok(result),
            Err(err) => last = Some(err),
        }
    }
    Err(last.unwrap_or_else(|| invalid("could not resolve to any addresses")))
}

pub fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// Implements the trait for types that are one address.
macro_rules! one_address {
    ($($type:ty),*) => {$(
        impl ToSocketAddrs for $type {
            type Iter = option::IntoIter<SocketAddr>;

            fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
                Ok(Some(SocketAddr::from(*self)).into_iter())
            }
        }
    )*};
}

one_address!(SocketAddr, SocketAddrV4, SocketAddrV6);
one_address!((IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16));

impl ToSocketAddrs for (&str, u16) {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        let (host, port) = *self;
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::from((ip, port))].into_iter());
        }
        lookup::resolve(host, port)
    }
}

impl ToSocketAddrs for (String, u16) {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        (&*self.0, self.1).to_socket_addrs()
    }
}

impl ToSocketAddrs for str {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        if let Ok(addr) = self.parse() {
            return Ok(vec![addr].into_iter());
        }
        let (host, port) =
            self.rsplit_once(':').ok_or_else(|| invalid("invalid socket address"))?;
        let port = port.parse().map_err(|_| invalid("invalid port value"))?;
        lookup::resolve(host, port)
    }
}

impl ToSocketAddrs for String {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        (**self).to_socket_addrs()
    }
}

impl<'a> ToSocketAddrs for &'a [SocketAddr] {
    type Iter = iter::Cloned<slice::Iter<'a, SocketAddr>>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        Ok(self.iter().cloned())
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    type Iter = T::Iter;

    fn to_socket_addrs(&self) -> io::Result<T::Iter> {
        (**self).to_socket_addrs()
    }
}
