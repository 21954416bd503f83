//! The functions of the host, and the structures that they take. Source: `docs/abi.md`.

use std::io;

/// Turns the result of a host's function into an error, which has the kind that `std` gives the
/// errno.
pub fn check(errno: i32) -> io::Result<()> {
    match errno {
        0 => Ok(()),
        _ => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// Errnos that are handled here.
pub const ERRNO_AGAIN: i32 = 6;
pub const ERRNO_INPROGRESS: i32 = 26;
pub const ERRNO_INVAL: i32 = 28;
pub const ERRNO_IO: i32 = 29;

/// Families of sockets, and the kinds of addresses.
pub const FAMILY_IPV4: i32 = 0;
pub const FAMILY_IPV6: i32 = 1;
/// Stands for both in the hints of a lookup.
pub const FAMILY_ANY: i32 = 2;

/// Types of sockets.
pub const TYPE_DATAGRAM: i32 = 0;
pub const TYPE_STREAM: i32 = 1;

/// The flag of a descriptor that does not block.
pub const FLAG_NONBLOCK: i32 = 4;
/// The flag of `sock_recv_msg` that leaves the data where it is.
pub const MSG_PEEK: u32 = 1;
/// The option of `sock_get_option` that is the pending error.
pub const OPTION_ERROR: i32 = 1;

/// An address: a kind, the address, the port.
pub type RawAddr = [u8; 24];

/// A buffer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Iovec {
    pub data: *const u8,
    pub size: usize,
}

/// What a lookup is for.
#[repr(C)]
pub struct Hints {
    pub kind: i32,
    pub family: i32,
    pub present: u8,
}

/// An entry that a lookup found.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Found {
    pub addr: RawAddr,
    pub kind: i32,
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
extern "C" {
    pub fn sock_open(pool: i32, family: i32, kind: i32, fd: *mut i32) -> i32;
    pub fn sock_bind(fd: i32, addr: *const RawAddr) -> i32;
    pub fn sock_listen(fd: i32, backlog: i32) -> i32;
    pub fn sock_accept(fd: i32, flags: i32, accepted: *mut i32) -> i32;
    pub fn sock_connect(fd: i32, addr: *const RawAddr) -> i32;
    pub fn sock_shutdown(fd: i32, how: i32) -> i32;
    pub fn sock_addr_local(fd: i32, addr: *mut RawAddr) -> i32;
    pub fn sock_addr_remote(fd: i32, addr: *mut RawAddr) -> i32;
    pub fn sock_addr_resolve(
        host: *const u8,
        service: *const u8,
        hints: *const Hints,
        found: *mut Found,
        capacity: u32,
        count: *mut u32,
    ) -> i32;
    pub fn fd_fdstat_set_flags(fd: i32, flags: i32) -> i32;

    pub fn sock_get_recv_timeout(fd: i32, usec: *mut u64) -> i32;
    pub fn sock_set_recv_timeout(fd: i32, usec: u64) -> i32;
    pub fn sock_get_send_timeout(fd: i32, usec: *mut u64) -> i32;
    pub fn sock_set_send_timeout(fd: i32, usec: u64) -> i32;
    pub fn sock_set_reuse_addr(fd: i32, on: i32) -> i32;
    pub fn sock_get_tcp_no_delay(fd: i32, on: *mut u8) -> i32;
    pub fn sock_set_tcp_no_delay(fd: i32, on: i32) -> i32;
    pub fn sock_get_broadcast(fd: i32, on: *mut u8) -> i32;
    pub fn sock_set_broadcast(fd: i32, on: i32) -> i32;
    pub fn sock_get_ip_ttl(fd: i32, ttl: *mut u8) -> i32;
    pub fn sock_set_ip_ttl(fd: i32, ttl: i32) -> i32;
    pub fn sock_get_ip_multicast_ttl(fd: i32, ttl: *mut u8) -> i32;
    pub fn sock_set_ip_multicast_ttl(fd: i32, ttl: i32) -> i32;
    pub fn sock_get_ip_multicast_loop(fd: i32, ipv6: i32, on: *mut u8) -> i32;
    pub fn sock_set_ip_multicast_loop(fd: i32, ipv6: i32, on: i32) -> i32;
    pub fn sock_set_ip_add_membership(fd: i32, group: *const RawAddr, interface: u32) -> i32;
    pub fn sock_set_ip_drop_membership(fd: i32, group: *const RawAddr, interface: u32) -> i32;
}

#[link(wasm_import_module = "wasport_sockets")]
extern "C" {
    pub fn sock_recv_msg(
        fd: i32,
        bufs: *const Iovec,
        count: usize,
        flags: u32,
        from: *mut RawAddr,
        size: *mut usize,
        result_flags: *mut u32,
    ) -> i32;
    pub fn sock_send_msg(
        fd: i32,
        bufs: *const Iovec,
        count: usize,
        flags: u32,
        to: *const RawAddr,
        size: *mut usize,
    ) -> i32;
    pub fn sock_get_option(fd: i32, option: i32, value: *mut i64) -> i32;
}
