//! Addresses as they lie in memory. Source: `docs/abi.md`, "address".

use super::host::{RawAddr, FAMILY_IPV4, FAMILY_IPV6};
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The family of an address.
pub fn family(addr: &SocketAddr) -> i32 {
    match addr {
        SocketAddr::V4(_) => FAMILY_IPV4,
        SocketAddr::V6(_) => FAMILY_IPV6,
    }
}

/// Writes an address as the host reads it. There is no room for a scope: without it a link-local
/// address could be one of another network, so it is refused.
pub fn encode(addr: &SocketAddr) -> io::Result<RawAddr> {
    if let SocketAddr::V6(v6) = addr {
        if v6.scope_id() != 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "addresses with a scope are not supported",
            ));
        }
    }
    let mut raw = encode_ip(addr.ip());
    let port = match addr {
        SocketAddr::V4(_) => 8,
        SocketAddr::V6(_) => 20,
    };
    raw[port..port + 2].copy_from_slice(&addr.port().to_le_bytes());
    Ok(raw)
}

/// Writes an address whose port is 0, which is also an address without a port.
pub fn encode_ip(ip: IpAddr) -> RawAddr {
    let mut raw = [0; 24];
    match ip {
        IpAddr::V4(v4) => raw[4..8].copy_from_slice(&v4.octets()),
        IpAddr::V6(v6) => {
            raw[0] = FAMILY_IPV6 as u8;
            for (group, bytes) in v6.segments().iter().zip(raw[4..20].chunks_exact_mut(2)) {
                bytes.copy_from_slice(&group.to_le_bytes());
            }
        }
    }
    raw
}

/// Reads an address that the host wrote.
pub fn decode(raw: &RawAddr) -> SocketAddr {
    let number = |at: usize| u16::from_le_bytes([raw[at], raw[at + 1]]);
    if i32::from(raw[0]) == FAMILY_IPV4 {
        let ip = [raw[4], raw[5], raw[6], raw[7]];
        return SocketAddr::from((ip, number(8)));
    }
    let mut groups = [0; 8];
    for (i, group) in groups.iter_mut().enumerate() {
        *group = number(4 + 2 * i);
    }
    SocketAddr::from((Ipv6Addr::from(groups), number(20)))
}
