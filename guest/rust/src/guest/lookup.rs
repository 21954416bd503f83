//! Names, which the host looks up.

use super::addr;
use super::host::{self, Found, Hints};
use super::to_addrs::invalid;
use std::ffi::CString;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::vec;

/// How many addresses of a name are taken.
const MAX_FOUND: usize = 64;

/// The addresses of a host, with the port 0. Returned by [`lookup_host`].
#[derive(Debug)]
pub struct LookupHost(vec::IntoIter<SocketAddr>);

impl Iterator for LookupHost {
    type Item = SocketAddr;

    fn next(&mut self) -> Option<SocketAddr> {
        self.0.next()
    }
}

/// Looks the addresses of a host up. The policy has to allow the name (`--allow-resolve`), unless
/// it is an address.
///
/// # Errors
///
/// `NotFound` for a name that does not exist, `TimedOut` if no server answered, `PermissionDenied`
/// if the policy does not allow the name.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// let addrs: Vec<_> = wasport_net::lookup_host("localhost")?.collect();
/// assert!(addrs.iter().all(|a| a.ip().is_loopback() && a.port() == 0));
/// # Ok(())
/// # }
/// ```
pub fn lookup_host(host: &str) -> io::Result<LookupHost> {
    resolve(host, 0).map(LookupHost)
}

pub fn resolve(host: &str, port: u16) -> io::Result<vec::IntoIter<SocketAddr>> {
    let host = CString::new(host).map_err(|_| invalid("a host's name contains a NUL byte"))?;
    let hints = Hints { kind: host::TYPE_STREAM, family: host::FAMILY_ANY, present: 1 };
    let mut found = [Found { addr: [0; 24], kind: 0 }; MAX_FOUND];
    let mut count = 0;
    let errno = unsafe {
        host::sock_addr_resolve(
            host.as_ptr().cast(),
            b"\0".as_ptr(),
            &hints,
            found.as_mut_ptr(),
            MAX_FOUND as u32,
            &mut count,
        )
    };
    if errno != 0 {
        return Err(lookup_error(errno));
    }
    let addrs = found.iter().take(count as usize).map(|entry| {
        let mut addr = addr::decode(&entry.addr);
        addr.set_port(port);
        addr
    });
    Ok(addrs.collect::<Vec<_>>().into_iter())
}

/// Tells the reasons of the host apart. Source: `docs/abi.md`, `sock_addr_resolve`.
fn lookup_error(errno: i32) -> io::Error {
    let (kind, reason) = match errno {
        host::ERRNO_INVAL => (ErrorKind::NotFound, "name or service not known"),
        host::ERRNO_AGAIN => (ErrorKind::TimedOut, "no server answered"),
        host::ERRNO_IO => (ErrorKind::Other, "a server failed"),
        _ => return io::Error::from_raw_os_error(errno),
    };
    io::Error::new(kind, format!("failed to lookup address information: {reason}"))
}
