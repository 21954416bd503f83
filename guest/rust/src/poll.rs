//! Waiting for several descriptors.

use crate::system::poll::wait;
use crate::{AsRawFd, RawFd};
use std::io;
use std::time::Duration;

/// A descriptor that [`poll`] waits for, and what for.
///
/// It does not keep the descriptor open. One that is closed is reported as ready, and the next
/// call on it tells the error.
#[derive(Clone, Copy, Debug)]
pub struct PollFd {
    pub(crate) fd: RawFd,
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

impl PollFd {
    /// Waits until the descriptor can be read or accepted from.
    pub fn readable(of: &impl AsRawFd) -> PollFd {
        PollFd::new(of, true, false)
    }

    /// Waits until the descriptor can be written to, or its connection stands or failed.
    pub fn writable(of: &impl AsRawFd) -> PollFd {
        PollFd::new(of, false, true)
    }

    /// Waits for either.
    pub fn both(of: &impl AsRawFd) -> PollFd {
        PollFd::new(of, true, true)
    }

    fn new(of: &impl AsRawFd, read: bool, write: bool) -> PollFd {
        PollFd { fd: of.as_raw_fd(), read, write, readable: false, writable: false }
    }

    /// Tells whether the last [`poll`] found that a read does not block. It may fail, or be the
    /// end. It is false where only writing was asked for.
    pub fn is_readable(&self) -> bool {
        self.readable
    }

    /// Tells whether the last [`poll`] found that a write does not block. It may fail. It is false
    /// where only reading was asked for.
    pub fn is_writable(&self) -> bool {
        self.writable
    }
}

/// Waits until one of the descriptors is ready, or the time is over; `None` is for ever. The result
/// is the number of those that are ready, 0 when the time is over.
///
/// # Errors
///
/// `InvalidInput` without descriptors and without a time, since that would never end;
/// `Interrupted` when a signal came, natively.
///
/// ```
/// use std::io::Read;
/// use std::time::Duration;
/// use wasport_net::{poll, PollFd, TcpListener, TcpStream};
///
/// # fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let mut fds = [PollFd::readable(&listener)];
/// assert_eq!(poll(&mut fds, Some(Duration::ZERO))?, 0);
///
/// let client = TcpStream::connect(listener.local_addr()?)?;
/// let mut fds = [PollFd::readable(&listener), PollFd::both(&client)];
/// while !fds[0].is_readable() {
///     poll(&mut fds, None)?;
/// }
/// assert!(fds[1].is_writable() && !fds[1].is_readable());
/// # Ok(())
/// # }
/// ```
pub fn poll(fds: &mut [PollFd], timeout: Option<Duration>) -> io::Result<usize> {
    if fds.is_empty() && timeout.is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "nothing to wait for"));
    }
    for fd in fds.iter_mut() {
        fd.readable = false;
        fd.writable = false;
    }
    wait(fds, timeout)?;
    Ok(fds.iter().filter(|fd| fd.readable || fd.writable).count())
}
