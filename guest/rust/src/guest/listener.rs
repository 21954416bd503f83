//! Listeners.

use super::host::{self, check};
use super::socket::{descriptor_traits, Socket};
use super::tcp::TcpStream;
use super::to_addrs::{each_addr, ToSocketAddrs};
use std::fmt;
use std::io;
use std::iter::FusedIterator;
use std::net::SocketAddr;
use std::os::wasi::io::{AsRawFd, FromRawFd};

/// How many connections wait to be accepted, as in `std::net` of Linux.
const BACKLOG: i32 = 128;

/// A listener for TCP connections, as `std::net::TcpListener`. It is closed when it is dropped.
///
/// ```no_run
/// use std::io::Write;
/// use wasport_net::TcpListener;
///
/// # fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:7000")?;
/// for stream in listener.incoming() {
///     stream?.write_all(b"hello\n")?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// A listener that the host hands over (`wasport run --listen tcp://127.0.0.1:7000`) is the first
/// descriptor after those of the directories:
///
/// ```no_run
/// use wasport_net::{FromRawFd, TcpListener};
///
/// let listener = unsafe { TcpListener::from_raw_fd(3) };
/// ```
pub struct TcpListener {
    socket: Socket,
}

descriptor_traits!(TcpListener);

impl TcpListener {
    /// Listens on an address, or on the first of several that is free. The port 0 stands for one
    /// of the host's choice.
    ///
    /// ```
    /// use std::io::ErrorKind;
    /// use wasport_net::TcpListener;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let listener = TcpListener::bind("[::1]:0")?;
    /// let taken = TcpListener::bind(listener.local_addr()?).unwrap_err();
    /// assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    /// # Ok(())
    /// # }
    /// ```
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<TcpListener> {
        each_addr(addr, |addr| {
            let socket = Socket::open(addr, host::TYPE_STREAM)?;
            socket.set(host::sock_set_reuse_addr, 1)?; // as std does
            socket.bind(addr)?;
            socket.set(host::sock_listen, BACKLOG)?;
            Ok(TcpListener { socket })
        })
    }

    /// Returns the address that is listened on.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Returns another handle to the same descriptor, which the last of them closes.
    pub fn try_clone(&self) -> io::Result<TcpListener> {
        Ok(TcpListener { socket: self.socket.clone() })
    }

    /// Waits for the next connection, which is in blocking mode.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let mut fd = 0;
        check(unsafe { host::sock_accept(self.as_raw_fd(), 0, &mut fd) })?;
        let stream = unsafe { TcpStream::from_raw_fd(fd) };
        let peer = stream.peer_addr()?;
        Ok((stream, peer))
    }

    /// Returns an iterator over the connections, which never ends.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// Sets `IP_TTL` for the connections, how many routers a packet passes.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.set_hops(host::sock_set_ip_ttl, ttl)
    }

    /// Returns `IP_TTL`.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket.get(host::sock_get_ip_ttl).map(u32::from)
    }

    /// Returns the pending error and clears it.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }

    /// Sets whether `accept` fails with the kind `WouldBlock` instead of waiting.
    ///
    /// ```
    /// # use std::io::ErrorKind;
    /// # use wasport_net::TcpListener;
    /// # fn main() -> std::io::Result<()> {
    /// # let listener = TcpListener::bind("127.0.0.1:0")?;
    /// listener.set_nonblocking(true)?;
    /// assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.socket.set_nonblocking(nonblocking)
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("TcpListener");
        if let Ok(addr) = self.local_addr() {
            fields.field("addr", &addr);
        }
        fields.field("fd", &self.as_raw_fd()).finish()
    }
}

/// The connections of a listener, each a [`TcpListener::accept`]. Returned by
/// [`TcpListener::incoming`].
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<io::Result<TcpStream>> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}

impl FusedIterator for Incoming<'_> {}
