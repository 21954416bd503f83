//! Datagram sockets.

use super::addr;
use super::host::{self, check};
use super::socket::{descriptor_traits, Socket};
use super::to_addrs::{each_addr, invalid, ToSocketAddrs};
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::wasi::io::AsRawFd;
use std::time::Duration;

/// A UDP socket, as `std::net::UdpSocket`. It is closed when it is dropped.
///
/// ```
/// use wasport_net::UdpSocket;
///
/// # fn main() -> std::io::Result<()> {
/// let a = UdpSocket::bind("127.0.0.1:0")?;
/// let b = UdpSocket::bind("127.0.0.1:0")?;
/// a.send_to(b"ping", b.local_addr()?)?;
///
/// let mut text = [0; 16];
/// let (size, from) = b.recv_from(&mut text)?;
/// assert_eq!((&text[..size], from), (&b"ping"[..], a.local_addr()?));
/// # Ok(())
/// # }
/// ```
pub struct UdpSocket {
    socket: Socket,
}

descriptor_traits!(UdpSocket);

const IPV4: i32 = 0;
const IPV6: i32 = 1;

impl UdpSocket {
    /// Makes a socket at an address, or at the first of several that is free.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<UdpSocket> {
        each_addr(addr, |addr| {
            let socket = Socket::open(addr, host::TYPE_DATAGRAM)?;
            socket.bind(addr)?;
            Ok(UdpSocket { socket })
        })
    }

    /// Connects to a peer: it alone is received from, and `send` sends to it.
    ///
    /// ```
    /// # use wasport_net::UdpSocket;
    /// # fn main() -> std::io::Result<()> {
    /// # let server = UdpSocket::bind("127.0.0.1:0")?;
    /// # let addr = server.local_addr()?;
    /// let socket = UdpSocket::bind("127.0.0.1:0")?;
    /// socket.connect(addr)?;
    /// socket.send(b"ping")?;
    /// # let mut text = [0; 16];
    /// # let (size, from) = server.recv_from(&mut text)?;
    /// # server.send_to(&text[..size], from)?;
    /// let mut reply = [0; 16];
    /// let size = socket.recv(&mut reply)?;
    /// # assert_eq!(&reply[..size], b"ping");
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        each_addr(addr, |addr| self.socket.connect(addr))
    }

    /// Receives a datagram and tells the sender. What does not fit is lost.
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(buf, 0)
    }

    /// Receives a datagram and leaves it for the next call.
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(buf, host::MSG_PEEK)
    }

    /// Sends a datagram to the first of the addresses.
    pub fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        match addr.to_socket_addrs()?.next() {
            Some(addr) => self.socket.send(&[IoSlice::new(buf)], Some(&addr)),
            None => Err(invalid("no addresses to send data to")),
        }
    }

    /// Receives a datagram. What does not fit is lost.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(&mut [IoSliceMut::new(buf)], 0)
    }

    /// Receives a datagram and leaves it for the next call.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(&mut [IoSliceMut::new(buf)], host::MSG_PEEK)
    }

    /// Sends a datagram to the peer of a connected socket.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.send(&[IoSlice::new(buf)], None)
    }

    /// Returns the address of the peer.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// Returns the address of this end.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Returns another handle to the same descriptor, which the last of them closes.
    pub fn try_clone(&self) -> io::Result<UdpSocket> {
        Ok(UdpSocket { socket: self.socket.clone() })
    }

    /// Sets how long a call waits for a datagram before it fails with the kind `WouldBlock`;
    /// `None` is for ever.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_timeout(host::sock_set_recv_timeout, timeout)
    }

    /// Sets how long sending waits before it fails with the kind `WouldBlock`.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_timeout(host::sock_set_send_timeout, timeout)
    }

    /// Returns how long a call waits for a datagram.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        self.socket.timeout(host::sock_get_recv_timeout)
    }

    /// Returns how long sending waits.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        self.socket.timeout(host::sock_get_send_timeout)
    }

    /// Sets whether broadcast addresses can be sent to.
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        self.socket.set(host::sock_set_broadcast, broadcast.into())
    }

    /// Returns whether broadcast addresses can be sent to.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.socket.get(host::sock_get_broadcast).map(|on| on != 0)
    }

    /// Sets whether this host receives what is sent to IPv4 groups from here.
    pub fn set_multicast_loop_v4(&self, on: bool) -> io::Result<()> {
        self.set_multicast_loop(IPV4, on)
    }

    /// Returns whether this host receives what is sent to IPv4 groups from here.
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        self.multicast_loop(IPV4)
    }

    /// Sets how many routers a packet to an IPv4 group passes.
    pub fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()> {
        self.socket.set_hops(host::sock_set_ip_multicast_ttl, ttl)
    }

    /// Returns how many routers a packet to an IPv4 group passes.
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        self.socket.get(host::sock_get_ip_multicast_ttl).map(u32::from)
    }

    /// Sets whether this host receives what is sent to IPv6 groups from here.
    pub fn set_multicast_loop_v6(&self, on: bool) -> io::Result<()> {
        self.set_multicast_loop(IPV6, on)
    }

    /// Returns whether this host receives what is sent to IPv6 groups from here.
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        self.multicast_loop(IPV6)
    }

    /// Joins an IPv4 group on the interface with an address. The unspecified address stands for an
    /// interface of the host's choice.
    ///
    /// ```
    /// use wasport_net::{Ipv4Addr, UdpSocket};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let socket = UdpSocket::bind("127.0.0.1:0")?;
    /// let group = Ipv4Addr::new(239, 1, 2, 3);
    /// socket.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST)?;
    /// socket.leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn join_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.join(IpAddr::V4(*group), in_memory(interface))
    }

    /// Joins an IPv6 group on the interface with an index. The index 0 stands for an interface of
    /// the host's choice.
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.join(IpAddr::V6(*group), interface)
    }

    /// Leaves an IPv4 group.
    pub fn leave_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.leave(IpAddr::V4(*group), in_memory(interface))
    }

    /// Leaves an IPv6 group.
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.leave(IpAddr::V6(*group), interface)
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

    fn set_multicast_loop(&self, family: i32, on: bool) -> io::Result<()> {
        let fd = self.as_raw_fd();
        check(unsafe { host::sock_set_ip_multicast_loop(fd, family, on.into()) })
    }

    fn multicast_loop(&self, family: i32) -> io::Result<bool> {
        let mut on = 0;
        let fd = self.as_raw_fd();
        check(unsafe { host::sock_get_ip_multicast_loop(fd, family, &mut on) })?;
        Ok(on != 0)
    }

    fn join(&self, group: IpAddr, interface: u32) -> io::Result<()> {
        let group = addr::encode_ip(group);
        check(unsafe { host::sock_set_ip_add_membership(self.as_raw_fd(), &group, interface) })
    }

    fn leave(&self, group: IpAddr, interface: u32) -> io::Result<()> {
        let group = addr::encode_ip(group);
        check(unsafe { host::sock_set_ip_drop_membership(self.as_raw_fd(), &group, interface) })
    }
}

/// The bytes of an address as the number that they are in memory.
fn in_memory(addr: &Ipv4Addr) -> u32 {
    u32::from_le_bytes(addr.octets())
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("UdpSocket");
        if let Ok(addr) = self.local_addr() {
            fields.field("addr", &addr);
        }
        fields.field("fd", &self.as_raw_fd()).finish()
    }
}
