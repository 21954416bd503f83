//! A socket of the host, and what streams, listeners and datagram sockets have in common.

use super::addr;
use super::host::{self, check, Iovec, RawAddr};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::wasi::io::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

/// A descriptor. Its clones share it, and the last one closes it.
#[derive(Clone)]
pub struct Socket(Arc<OwnedFd>);

/// How many buffers one call takes. What is left over is for the next.
const MAX_BUFS: usize = 16;

type Get<T> = unsafe extern "C" fn(i32, *mut T) -> i32;
type Set<T> = unsafe extern "C" fn(i32, T) -> i32;

impl Socket {
    /// Opens a socket of an address's family.
    pub fn open(addr: &SocketAddr, kind: i32) -> io::Result<Socket> {
        let mut fd = 0;
        check(unsafe { host::sock_open(-1, addr::family(addr), kind, &mut fd) })?;
        Ok(unsafe { Socket::from_raw_fd(fd) })
    }

    pub fn bind(&self, addr: &SocketAddr) -> io::Result<()> {
        let raw = addr::encode(addr)?;
        check(unsafe { host::sock_bind(self.as_raw_fd(), &raw) })
    }

    pub fn connect(&self, addr: &SocketAddr) -> io::Result<()> {
        let raw = addr::encode(addr)?;
        check(unsafe { host::sock_connect(self.as_raw_fd(), &raw) })
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get(host::sock_addr_local).map(|raw: RawAddr| addr::decode(&raw))
    }

    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.get(host::sock_addr_remote).map(|raw: RawAddr| addr::decode(&raw))
    }

    /// Receives into buffers, of which the first `MAX_BUFS` are used. The result of a datagram
    /// socket is one datagram, and what does not fit is lost.
    pub fn recv(&self, bufs: &mut [IoSliceMut<'_>], flags: u32) -> io::Result<usize> {
        let mut list = [Iovec { data: ptr::null(), size: 0 }; MAX_BUFS];
        let count = bufs.len().min(MAX_BUFS);
        for (entry, buf) in list.iter_mut().zip(bufs) {
            *entry = Iovec { data: buf.as_mut_ptr(), size: buf.len() };
        }
        self.recv_msg(&list[..count], flags, ptr::null_mut())
    }

    /// Receives a datagram and tells the sender.
    pub fn recv_from(&self, buf: &mut [u8], flags: u32) -> io::Result<(usize, SocketAddr)> {
        let mut from: RawAddr = [0; 24];
        let list = [Iovec { data: buf.as_mut_ptr(), size: buf.len() }];
        let size = self.recv_msg(&list, flags, &mut from)?;
        Ok((size, addr::decode(&from)))
    }

    fn recv_msg(&self, list: &[Iovec], flags: u32, from: *mut RawAddr) -> io::Result<usize> {
        let (fd, mut size) = (self.as_raw_fd(), 0);
        let no_flags = ptr::null_mut();
        check(unsafe {
            host::sock_recv_msg(fd, list.as_ptr(), list.len(), flags, from, &mut size, no_flags)
        })?;
        Ok(size)
    }

    /// Sends buffers, of which the first `MAX_BUFS` are used: to the peer, or to an address.
    pub fn send(&self, bufs: &[IoSlice<'_>], to: Option<&SocketAddr>) -> io::Result<usize> {
        let mut list = [Iovec { data: ptr::null(), size: 0 }; MAX_BUFS];
        let count = bufs.len().min(MAX_BUFS);
        for (entry, buf) in list.iter_mut().zip(bufs) {
            *entry = Iovec { data: buf.as_ptr(), size: buf.len() };
        }
        let raw = to.map(addr::encode).transpose()?;
        let to = raw.as_ref().map_or(ptr::null(), |raw| raw as *const RawAddr);
        let (fd, mut size) = (self.as_raw_fd(), 0);
        check(unsafe { host::sock_send_msg(fd, list.as_ptr(), count, 0, to, &mut size) })?;
        Ok(size)
    }

    /// Reads an option.
    pub fn get<T: Default>(&self, call: Get<T>) -> io::Result<T> {
        let mut value = T::default();
        check(unsafe { call(self.as_raw_fd(), &mut value) })?;
        Ok(value)
    }

    /// Sets an option.
    pub fn set<T>(&self, call: Set<T>, value: T) -> io::Result<()> {
        check(unsafe { call(self.as_raw_fd(), value) })
    }

    /// Sets an option that is a number of hops. The host's functions look at one byte of it alone.
    pub fn set_hops(&self, call: Set<i32>, hops: u32) -> io::Result<()> {
        match u8::try_from(hops) {
            Ok(hops) => self.set(call, hops.into()),
            Err(_) => check(host::ERRNO_INVAL),
        }
    }

    pub fn timeout(&self, call: Get<u64>) -> io::Result<Option<Duration>> {
        let usec = self.get(call)?;
        Ok((usec != 0).then(|| Duration::from_micros(usec)))
    }

    /// Sets a timeout, which is rounded up to a microsecond since 0 stands for none.
    pub fn set_timeout(&self, call: Set<u64>, timeout: Option<Duration>) -> io::Result<()> {
        let usec = match timeout {
            None => 0,
            Some(Duration::ZERO) => return Err(zero_timeout()),
            Some(t) => t.as_micros().clamp(1, i64::MAX as u128) as u64,
        };
        self.set(call, usec)
    }

    pub fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        self.set(host::fd_fdstat_set_flags, if on { host::FLAG_NONBLOCK } else { 0 })
    }

    /// Takes the pending error.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        let mut errno = 0;
        check(unsafe { host::sock_get_option(self.as_raw_fd(), host::OPTION_ERROR, &mut errno) })?;
        Ok((errno != 0).then(|| io::Error::from_raw_os_error(errno as i32)))
    }
}

/// The error for a timeout of 0, which `std::net` refuses.
pub fn zero_timeout() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "cannot set a 0 duration timeout")
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl FromRawFd for Socket {
    unsafe fn from_raw_fd(fd: RawFd) -> Socket {
        Socket(Arc::new(OwnedFd::from_raw_fd(fd)))
    }
}

impl IntoRawFd for Socket {
    /// Gives the descriptor away. Clones that are left do not close it.
    fn into_raw_fd(self) -> RawFd {
        match Arc::try_unwrap(self.0) {
            Ok(owned) => owned.into_raw_fd(),
            Err(shared) => {
                let fd = shared.as_raw_fd();
                std::mem::forget(shared);
                fd
            }
        }
    }
}

/// Gives a type with the field `socket` the traits of descriptors.
macro_rules! descriptor_traits {
    ($type:ident) => {
        impl std::os::wasi::io::AsRawFd for $type {
            fn as_raw_fd(&self) -> std::os::wasi::io::RawFd {
                self.socket.as_raw_fd()
            }
        }

        impl std::os::wasi::io::AsFd for $type {
            fn as_fd(&self) -> std::os::wasi::io::BorrowedFd<'_> {
                unsafe { std::os::wasi::io::BorrowedFd::borrow_raw(self.socket.as_raw_fd()) }
            }
        }

        impl std::os::wasi::io::FromRawFd for $type {
            unsafe fn from_raw_fd(fd: std::os::wasi::io::RawFd) -> $type {
                $type { socket: std::os::wasi::io::FromRawFd::from_raw_fd(fd) }
            }
        }

        impl std::os::wasi::io::IntoRawFd for $type {
            /// Gives the descriptor away. Clones that are left share it and do not close it.
            fn into_raw_fd(self) -> std::os::wasi::io::RawFd {
                std::os::wasi::io::IntoRawFd::into_raw_fd(self.socket)
            }
        }
    };
}
pub(crate) use descriptor_traits;
