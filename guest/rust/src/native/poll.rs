//! `poll` by the function of that name. Source: poll(2).

use crate::PollFd;
use std::io;
use std::os::raw::{c_int, c_short};
use std::time::Duration;

#[cfg(any(target_os = "linux", target_os = "android"))]
type Count = std::os::raw::c_ulong;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
type Count = std::os::raw::c_uint;

#[repr(C)]
struct RawPollFd {
    fd: c_int,
    events: c_short,
    revents: c_short,
}

const POLLIN: c_short = 1;
const POLLOUT: c_short = 4;
/// POLLERR, POLLHUP and POLLNVAL, which come without being asked for.
const FAILED: c_short = 0x38;

extern "C" {
    fn poll(fds: *mut RawPollFd, count: Count, timeout: c_int) -> c_int;
}

pub fn wait(fds: &mut [PollFd], timeout: Option<Duration>) -> io::Result<()> {
    let events =
        |fd: &PollFd| (if fd.read { POLLIN } else { 0 }) | (if fd.write { POLLOUT } else { 0 });
    let mut list: Vec<RawPollFd> =
        fds.iter().map(|fd| RawPollFd { fd: fd.fd, events: events(fd), revents: 0 }).collect();
    if unsafe { poll(list.as_mut_ptr(), list.len() as Count, milliseconds(timeout)) } < 0 {
        return Err(io::Error::last_os_error());
    }
    for (fd, raw) in fds.iter_mut().zip(&list) {
        fd.readable = fd.read && raw.revents & (POLLIN | FAILED) != 0;
        fd.writable = fd.write && raw.revents & (POLLOUT | FAILED) != 0;
    }
    Ok(())
}

/// Rounds up, so that a short time is no busy waiting.
fn milliseconds(timeout: Option<Duration>) -> c_int {
    match timeout {
        None => -1,
        Some(t) => ((t.as_nanos() + 999_999) / 1_000_000).min(c_int::MAX as u128) as c_int,
    }
}
