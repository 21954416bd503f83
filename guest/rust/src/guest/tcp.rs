//! Streams.

use super::host;
use super::socket::{descriptor_traits, zero_timeout, Socket};
use super::to_addrs::{each_addr, ToSocketAddrs};
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::wasi::io::AsRawFd;
use std::time::Duration;

/// A TCP connection, as `std::net::TcpStream`. It is closed when it is dropped.
///
/// ```
/// use std::io::{Read, Write};
/// use wasport_net::{Shutdown, TcpListener, TcpStream};
///
/// # fn main() -> std::io::Result<()> {
/// # let listener = TcpListener::bind("127.0.0.1:0")?;
/// # let addr = listener.local_addr()?;
/// let mut stream = TcpStream::connect(addr)?;
/// stream.write_all(b"all there is")?;
/// stream.shutdown(Shutdown::Write)?;
///
/// let mut text = String::new();
/// listener.accept()?.0.read_to_string(&mut text)?;
/// assert_eq!(text, "all there is");
/// # Ok(())
/// # }
/// ```
pub struct TcpStream {
    pub(crate) socket: Socket,
}

descriptor_traits!(TcpStream);

impl TcpStream {
    /// Connects to an address, or to the first of several that accepts. A name is looked up.
    ///
    /// ```
    /// use std::io::ErrorKind;
    /// use wasport_net::TcpStream;
    ///
    /// # let listener = wasport_net::TcpListener::bind("127.0.0.1:0").unwrap();
    /// # let nobody = listener.local_addr().unwrap();
    /// # drop(listener);
    /// let refused = TcpStream::connect(nobody).unwrap_err();
    /// assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    ///
    /// // An address that the policy does not grant.
    /// let denied = TcpStream::connect("192.0.2.1:80").unwrap_err();
    /// assert_eq!(denied.kind(), ErrorKind::PermissionDenied);
    ///
    /// // An address with a scope.
    /// let scoped = std::net::SocketAddrV6::new(wasport_net::Ipv6Addr::LOCALHOST, 80, 0, 1);
    /// let invalid = TcpStream::connect(scoped).unwrap_err();
    /// assert_eq!(invalid.kind(), ErrorKind::InvalidInput);
    /// ```
    pub fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        each_addr(addr, |addr| {
            let socket = Socket::open(addr, host::TYPE_STREAM)?;
            socket.connect(addr)?;
            Ok(TcpStream { socket })
        })
    }

    /// Connects to an address and gives up after a time, with the kind `TimedOut`.
    pub fn connect_timeout(addr: &SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
        if timeout == Duration::ZERO {
            return Err(zero_timeout());
        }
        let socket = Socket::open(addr, host::TYPE_STREAM)?;
        socket.set_timeout(host::sock_set_send_timeout, Some(timeout))?;
        socket.connect(addr).map_err(|err| match err.raw_os_error() {
            // A connect that the send timeout ended goes on by itself.
            Some(host::ERRNO_INPROGRESS) => {
                io::Error::new(io::ErrorKind::TimedOut, "connection timed out")
            }
            _ => err,
        })?;
        socket.set_timeout(host::sock_set_send_timeout, None)?;
        Ok(TcpStream { socket })
    }

    /// Returns the address of the peer.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// Returns the address of this end.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Shuts one direction down, or both.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let how = match how {
            Shutdown::Read => 1,
            Shutdown::Write => 2,
            Shutdown::Both => 3,
        };
        self.socket.set(host::sock_shutdown, how)
    }

    /// Returns another handle to the same descriptor, which the last of them closes. Modes and
    /// timeouts are common to all.
    ///
    /// ```
    /// # use std::io::{Read, Write};
    /// # use wasport_net::{TcpListener, TcpStream};
    /// # fn main() -> std::io::Result<()> {
    /// # let listener = TcpListener::bind("127.0.0.1:0")?;
    /// # let stream = TcpStream::connect(listener.local_addr()?)?;
    /// # listener.accept()?.0.write_all(b"a line\n")?;
    /// use std::io::{BufRead, BufReader};
    ///
    /// let mut writer = stream.try_clone()?;
    /// let mut reader = BufReader::new(stream);
    /// writer.write_all(b"a request\n")?;
    /// let mut line = String::new();
    /// reader.read_line(&mut line)?;
    /// # assert_eq!(line, "a line\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_clone(&self) -> io::Result<TcpStream> {
        Ok(TcpStream { socket: self.socket.clone() })
    }

    /// Sets how long a read waits before it fails with the kind `WouldBlock`; `None` is for ever.
    ///
    /// ```
    /// # use std::io::{ErrorKind, Read};
    /// # use std::time::Duration;
    /// # use wasport_net::{TcpListener, TcpStream};
    /// # fn main() -> std::io::Result<()> {
    /// # let listener = TcpListener::bind("127.0.0.1:0")?;
    /// # let mut stream = TcpStream::connect(listener.local_addr()?)?;
    /// stream.set_read_timeout(Some(Duration::from_millis(10)))?;
    /// let late = stream.read(&mut [0; 16]).unwrap_err();
    /// assert_eq!(late.kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_timeout(host::sock_set_recv_timeout, timeout)
    }

    /// Sets how long a write waits before it fails with the kind `WouldBlock`.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_timeout(host::sock_set_send_timeout, timeout)
    }

    /// Returns how long a read waits.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        self.socket.timeout(host::sock_get_recv_timeout)
    }

    /// Returns how long a write waits.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        self.socket.timeout(host::sock_get_send_timeout)
    }

    /// Reads what is there and leaves it for the next read.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(&mut [IoSliceMut::new(buf)], host::MSG_PEEK)
    }

    /// Sets `TCP_NODELAY`: small pieces are sent at once.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket.set(host::sock_set_tcp_no_delay, nodelay.into())
    }

    /// Returns `TCP_NODELAY`.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket.get(host::sock_get_tcp_no_delay).map(|on| on != 0)
    }

    /// Sets `IP_TTL`, how many routers a packet passes.
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

    /// Sets whether calls fail with the kind `WouldBlock` instead of waiting.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.socket.set_nonblocking(nonblocking)
    }
}

impl Read for TcpStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(bufs)
    }
}

impl Write for TcpStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for &TcpStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(&mut [IoSliceMut::new(buf)], 0)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.socket.recv(bufs, 0)
    }
}

impl Write for &TcpStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.socket.send(&[IoSlice::new(buf)], None)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.send(bufs, None)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("TcpStream");
        if let Ok(addr) = self.local_addr() {
            fields.field("addr", &addr);
        }
        if let Ok(peer) = self.peer_addr() {
            fields.field("peer", &peer);
        }
        fields.field("fd", &self.as_raw_fd()).finish()
    }
}
